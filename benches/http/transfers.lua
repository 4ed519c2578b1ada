-- Transfers between random accounts, each under a key of its own: for wrk.
-- Expects ACCOUNTS in the environment, and accounts as scripts/measure-http
-- opens them. Requests are put together from ready parts, so that making them
-- takes little of the time that the server could use.
local accounts = tonumber(os.getenv("ACCOUNTS"))
local threads = 0

function setup(thread)
    threads = threads + 1
    thread:set("seed", os.time() * 16 + threads)
end

local body = '{"from":"01890000-0000-7000-8000-%s","to":"01890000-0000-7000-8000-%s",'
    .. '"amount":"0.%02d","currency":"EUR"}'
local id = "%012x"
local head, between, behind, prefix
local amounts, ids = {}, {}
local count = 0

function init()
    math.randomseed(seed)
    local length = #string.format(body, string.format(id, 0), string.format(id, 0), 1)
    head = string.format("POST /v1/transfers HTTP/1.1\r\nHost: %s\r\n"
        .. "Content-Type: application/json\r\nContent-Length: %d\r\nIdempotency-Key: ", wrk.host, length)
    local first, second, third = body:match("^(.-)%%s(.-)%%s(.-0%.)")
    prefix = string.format("%08x%08x", math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
    between, behind, head = second, third, { head, "\r\n\r\n" .. first }
    for i = 1, 99 do
        amounts[i] = string.format('%02d","currency":"EUR"}', i)
    end
    for i = 1, accounts do
        ids[i] = string.format(id, i)
    end
end

function request()
    local from = math.random(accounts)
    local to = math.random(accounts - 1)
    if to >= from then
        to = to + 1
    end
    count = count + 1
    return head[1] .. prefix .. count .. head[2] .. ids[from] .. between .. ids[to]
        .. behind .. amounts[math.random(99)]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("transfers_per_sec %.0f\n", summary.requests / summary.duration * 1e6))
    io.write(string.format("p50_ms %.2f\np99_ms %.2f\n", latency:percentile(50) / 1000,
        latency:percentile(99) / 1000))
    io.write(string.format("failed %d\n", errors.connect + errors.read + errors.write
        + errors.status + errors.timeout))
end
