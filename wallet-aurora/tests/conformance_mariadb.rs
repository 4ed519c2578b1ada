//! The store passes every case of the test kit on MariaDB, on the database's own
//! clock and on the kit's.

mod support;

use support::stores::Stores;
use wallet_test_servers::Kind;

const OWN_CLOCK: Stores = Stores {
    kind: Kind::MariaDb,
    manual_clock: false,
};
const KITS_CLOCK: Stores = Stores {
    kind: Kind::MariaDb,
    manual_clock: true,
};

mod own_clock {
    wallet_core::ledger_store_conformance!(crate::OWN_CLOCK);
    wallet_core::outbox_conformance!(crate::OWN_CLOCK);
}

mod kits_clock {
    wallet_core::ledger_store_conformance!(crate::KITS_CLOCK);
    wallet_core::outbox_conformance!(crate::KITS_CLOCK);
    wallet_core::model_tests!(crate::KITS_CLOCK);
}
