//! a whole federation in one process, and doubles that try to break its promises
