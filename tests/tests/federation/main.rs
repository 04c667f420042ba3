//! One federation on loopback: real daemons, sockets, certificates and files.

#![cfg(test)]

mod answers;
mod budgets;
mod clock;
mod evidence;
mod fanout;
mod hostile_coordinator;
mod hostile_provider;
mod joining;
mod ldv;
mod ldv_hindered;
mod readers;
mod refusals;
mod register;
mod replay;
mod restored;
mod results;
mod revocation;
mod rotation;
mod scenarios;
mod subject_report;
mod subjects;
mod support;
mod suspension;
mod transport;
mod under_way;
mod unwritable;
mod vouchee;
mod vouchers;
mod witnessed_coordinator;
mod witnesses;
