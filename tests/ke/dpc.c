/* dpc: dispatcher tests (being written). */
