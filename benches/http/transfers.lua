-- Transfers between random accounts, each under a key of its own: for wrk.
-- Expects ACCOUNTS in the environment, and accounts as scripts/measure-http
-- opens them.
local accounts = tonumber(os.getenv("ACCOUNTS"))
local threads = 0

function setup(thread)
    threads = threads + 1
    thread:set("seed", os.time() * 16 + threads)
end

function init()
    math.randomseed(seed)
end

local head = {
    ["Content-Type"] = "application/json",
}
local body = '{"from":"01890000-0000-7000-8000-%012x","to":"01890000-0000-7000-8000-%012x",'
    .. '"amount":"0.%02d","currency":"EUR"}'

function request()
    local from = math.random(accounts)
    local to = math.random(accounts - 1)
    if to >= from then
        to = to + 1
    end
    head["Idempotency-Key"] = string.format("%08x%08x%08x", math.random(0, 0x7fffffff),
        math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
    return wrk.format("POST", "/v1/transfers", head,
        string.format(body, from, to, math.random(1, 99)))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("transfers_per_sec %.0f\n", summary.requests / summary.duration * 1e6))
    io.write(string.format("p50_ms %.2f\np99_ms %.2f\n", latency:percentile(50) / 1000,
        latency:percentile(99) / 1000))
    io.write(string.format("failed %d\n", errors.connect + errors.read + errors.write
        + errors.status + errors.timeout))
end
