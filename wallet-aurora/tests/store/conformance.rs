//! The store passes every case of the test kit on both servers. It runs with the database's
//! clock and with the kit's clock.

macro_rules! on {
    ($server:ident, $kind:ident) => {
        mod $server {
            mod own_clock {
                const STORES: crate::support::stores::Stores = crate::support::stores::Stores {
                    kind: wallet_test_servers::Kind::$kind,
                    manual_clock: false,
                };
                wallet_testkit::ledger_store_conformance!(
                    crate::conformance::$server::own_clock::STORES
                );
                wallet_testkit::outbox_conformance!(crate::conformance::$server::own_clock::STORES);
            }

            mod kits_clock {
                const STORES: crate::support::stores::Stores = crate::support::stores::Stores {
                    kind: wallet_test_servers::Kind::$kind,
                    manual_clock: true,
                };
                wallet_testkit::ledger_store_conformance!(
                    crate::conformance::$server::kits_clock::STORES
                );
                wallet_testkit::outbox_conformance!(
                    crate::conformance::$server::kits_clock::STORES
                );
                wallet_testkit::model_tests!(crate::conformance::$server::kits_clock::STORES);
            }
        }
    };
}

on!(mariadb, MariaDb);
on!(mysql, MySql);
