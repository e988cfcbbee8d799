/* thread_wait: dispatcher tests (being written). */
