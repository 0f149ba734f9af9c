//! What the training does to a pool, with a generation of its own and the time as told.
