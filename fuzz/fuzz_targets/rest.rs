#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (wallet_decoders::target("rest").check)(bytes));
