//! The register seen from outside: documents as JSON, signed by keys that a test names, admitted one by one.

#[cfg(test)]
mod attempts;
#[cfg(test)]
mod breaches;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod life;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod signers;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod time;
#[cfg(test)]
mod world;
