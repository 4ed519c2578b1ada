-- Extends a lease, or ends it.
-- KEYS: the lock, kept as token and end in microseconds, eight bytes each, and
-- the owner. ARGV: the time in microseconds or '' for the server's, token,
-- microseconds from now or '' to end it, milliseconds to remember the token.
-- Answers the end, or nothing where the lease is lost.
local now
if ARGV[1] == '' then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
else
    now = tonumber(ARGV[1])
end
local held = redis.call('GET', KEYS[1])
if not held then
    return {}
end
local token, ended, next = struct.unpack('>dd', held)
if token ~= tonumber(ARGV[2]) or ended <= now then
    return {}
end
local ends, keep = 0, tonumber(ARGV[4])
if ARGV[3] ~= '' then
    ends = now + ARGV[3]
    keep = keep + math.ceil(ARGV[3] / 1000)
end
redis.call('SET', KEYS[1], struct.pack('>dd', token, ends) .. string.sub(held, next), 'PX', keep)
return { ends }
