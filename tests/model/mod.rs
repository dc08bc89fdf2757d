//! Tests of the models and their weights.

<<<<<<< HEAD
mod engine;
=======
>>>>>>> science
mod network;
mod training;
mod twin;
mod weights;
