//! the project leader's side of a query
