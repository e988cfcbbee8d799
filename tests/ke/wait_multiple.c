/* wait_multiple: dispatcher tests (being written). */
