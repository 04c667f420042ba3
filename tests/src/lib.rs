//! The integration suite lives in the `tests/` folder of this package.
