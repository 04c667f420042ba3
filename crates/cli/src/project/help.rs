//! Help texts of `convenant project`.

pub(super) const LIFE: &str = "\
The life of a project, and what moves it on:
  CONCEPT      project new, project check, project sign, project submit
  INGEDIEND    project attest: each participant
  TOETSING     project decide: the LSI
  GOEDGEKEURD  project mandate: the responsible partner
  ACTIEF       convenant query; project extend, suspend, resume, withdraw --partner
  AFSLUITING   project close, or the last day; project feedback, convenant results destroy
  VERNIETIGD   project conclude
  GEEVALUEERD  project secure
  GEBORGD      the end; project report says at any time what there is to say

Each command writes a document (TOML). Read it, sign it (`convenant project sign`), have the others
sign it, submit it (`convenant project submit`). `convenant project status` says whose turn it is.";

pub(super) const NEW: &str = "\
Example:
  convenant project new P-2026-020 --theme adresfraude --proposer 00000099000000000599 \\
      --with 00000099000000004000 00000099000000003000 --config client.toml --out proposal.toml

Of every dataset that the participants serve, the fields are listed that the covenant allows for
this theme; take those that are necessary, and no others.";

pub(super) const CHECK: &str = "\
Examples:
  convenant project check proposal.toml --config client.toml
  convenant project check proposal.jws --config client.toml --lang en

A document as written is held against its format, the covenant and the register, and everything that
is wrong is said at once, but for the signatures that it still needs. A signed document is tried on
a copy of the register, with its signatures.
Exit code 2 where something stands in the way.";

pub(super) const STATUS: &str = "\
Examples:
  convenant project status --config client.toml
  convenant project status P-2026-001 --config client.toml --json

Deadlines are Dutch calendar days. What is overdue blocks new queries (clause L6).";

pub(super) const MANDATE: &str = "\
Examples:
  The responsible partner names a leader and signs:
    convenant project mandate P-2026-001 --leader leader.pub.jwk --max-subjects 100 \\
        --config client.toml --out mandate.toml

  The leader names the team under that mandate and signs with the leader's key:
    convenant project mandate P-2026-001 --analyst a.pub.jwk --adviser b.pub.jwk \\
        --max-subjects 20 --under HASH --config client.toml --out team.toml";

pub(super) const SUSPEND: &str = "\
Examples:
  What one partner provides; that partner alone signs, and needs nobody's leave:
    convenant project suspend P-2026-001 --partner 00000099000000000599 \\
      --reason \"fout in de levering\" --out suspension.toml
    convenant sign suspension.toml --key signing.jwk
    convenant register submit suspension.jws --config client.toml

  The whole project, signed by the LSI's quorum:
    convenant project suspend P-2026-001 --reason \"op last van de rechter\" --out suspension.toml

It holds from its instant on, as soon as it is in the register, also for answers that are under
way. A node that must stop at once, whatever the coordinator does, is stopped itself.";

pub(super) const RESUME: &str = "\
Example:
  convenant project resume --suspension suspension.jws --reason \"hersteld\" --out resumption.toml
  convenant sign resumption.toml --key signing.jwk
  convenant register submit resumption.jws --config client.toml

Whoever suspended signs: the partner, or the LSI's quorum.";

pub(super) const WITHDRAW: &str = "\
Examples:
  A project that does not run yet; the responsible partner signs:
    convenant project withdraw P-2026-001 --reason \"niet langer nodig\" --out withdrawal.toml

  One participant; from then on nothing is asked of it, and it is not undone:
    convenant project withdraw P-2026-001 --partner 00000099000000003000 \\
        --reason \"besluit van de raad van bestuur\" --out withdrawal.toml";

pub(super) const REPORT: &str = "\
Examples:
  convenant project report P-2026-001 --config client.toml
  convenant project report P-2026-001 --form html --out summary.html --config client.toml

From the register alone, which holds no personal data (clause S16). In Dutch, or English with `--lang en`; what the
project's documents say stays in their own language.";
