/* irql: dispatcher tests (being written). */
