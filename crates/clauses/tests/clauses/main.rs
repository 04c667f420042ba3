//! The decision seen from outside: the example covenant, a register admitted document by document, and
//! queries against it.

#[cfg(test)]
mod decision;
#[cfg(test)]
mod fail_closed;
#[cfg(test)]
mod life;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod vouchers;
#[cfg(test)]
mod world;
