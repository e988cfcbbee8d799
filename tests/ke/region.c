/* region: dispatcher tests (being written). */
