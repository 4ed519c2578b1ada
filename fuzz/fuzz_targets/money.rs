#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (wallet_decoders::target("money").check)(bytes));
