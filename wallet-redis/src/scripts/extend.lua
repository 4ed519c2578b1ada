-- Extends a lease, or ends it.
-- KEYS: the lock. ARGV: the time in microseconds or '' for the server's, token,
-- microseconds from now or '' to end it, milliseconds to remember the token.
-- Answers the end, or nothing where the lease is lost.
local now
if ARGV[1] == '' then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
else
    now = tonumber(ARGV[1])
end
local held = redis.call('HMGET', KEYS[1], 'token', 'until')
if not held[1] or held[1] ~= ARGV[2] or tonumber(held[2]) <= now then
    return {}
end
local ends, keep = 0, tonumber(ARGV[4])
if ARGV[3] ~= '' then
    ends = now + tonumber(ARGV[3])
    keep = keep + math.ceil(ARGV[3] / 1000)
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', ends))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', keep))
return { ends }
