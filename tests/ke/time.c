/* time: dispatcher tests (being written). */
