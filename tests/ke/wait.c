/* wait: dispatcher tests (being written). */
