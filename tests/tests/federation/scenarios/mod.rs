//! The four scenarios, each from a proposal to a closed project: what is asked, who is found, what is refused, and
//! an audit over all that it left behind. The people are made up, and so few that everybody can see who is to be found.

mod address_fraud;
mod asking;
mod data;
mod labour_migrants;
mod liveability;
mod project;
mod recreation_park;
mod stage;
