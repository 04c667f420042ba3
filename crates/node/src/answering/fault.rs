//! What is wrong with unsealed subjects, in Dutch, for the refusal: numbers and types, never a subject.

use convenant_exchange::{SubjectFault, VoucherFault};

/// For the refusal under clause L14.
pub(super) fn of_subjects(fault: SubjectFault) -> String {
    match fault {
        SubjectFault::NotOfType { found, kind } => {
            format!(
                "{found} van de sleutels is geen geldige waarde van het type `{}`",
                kind.as_str()
            )
        }
        SubjectFault::Count { shape, found } => {
            format!("de vraag noemt {shape} personen of objecten, verzegeld zijn er {found}")
        }
        SubjectFault::Repeated => "een persoon of object is meer dan eens verzegeld".to_owned(),
        SubjectFault::Verification => {
            "het tweede gegeven ontbreekt of is niet aangekondigd".to_owned()
        }
        SubjectFault::Presence | SubjectFault::Hash => {
            "de verzegelde personen zijn niet die welke de vrager heeft ondertekend".to_owned()
        }
        SubjectFault::Sealed | SubjectFault::Malformed => {
            "de verzegelde personen zijn niet voor deze vraag en dit knooppunt".to_owned()
        }
    }
}

/// For the refusal under clause S10.
pub(super) fn of_vouchers(fault: VoucherFault) -> String {
    let text = match fault {
        VoucherFault::Missing { missing, subjects } => {
            return format!("van {subjects} personen of objecten hebben er {missing} geen voucher");
        }
        VoucherFault::TooMany { found } => {
            return format!("de vouchers zijn van {found} antwoorden, meer dan worden aangenomen");
        }
        VoucherFault::Surplus => {
            "er zijn vouchers bij die bij geen van de personen of objecten horen"
        }
        VoucherFault::Malformed => "een voucher is geen verklaring van een partner",
        VoucherFault::Signature => {
            "een voucher is niet ondertekend met de ingeschreven sleutel van wie erin wordt genoemd"
        }
        VoucherFault::Issuer => {
            "een voucher is niet van een deelnemer die in dit project uit een dataset met gebied levert"
        }
        VoucherFault::Withheld => "een voucher is van een deelnemer die zijn levering opschortte",
        VoucherFault::Project => "een voucher is van een ander project of een andere versie ervan",
        VoucherFault::Requester => "een voucher is aan een andere organisatie gegeven",
        VoucherFault::Key => "een voucher is voor een ander veld dan deze dataset aanneemt",
        VoucherFault::Expired => "een voucher is verlopen",
        VoucherFault::NotYetValid => {
            "een voucher is uit de toekomst, of geldt langer dan het convenant toestaat"
        }
        VoucherFault::Subject => {
            "een voucher is niet voor de persoon of het object waarbij het zit"
        }
    };
    text.to_owned()
}
