-- Extends a lease, or ends it.
-- KEYS: the lock, kept as token, end in microseconds, owner.
-- ARGV: token, microseconds from now or 0 to end it, milliseconds to remember the
-- token; the time in microseconds, where it is not the server's.
-- Answers token and end, or nothing where the lease is lost.
-- Numbers are packed, eight bytes each.
local now = tonumber(ARGV[2])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local held = redis.call('GET', KEYS[1])
if not held then
    return ''
end
local token, ends, owner = struct.unpack('>I8I8', held)
local own, ttl, remember = struct.unpack('>I8I8I8', ARGV[1])
if token ~= own or ends <= now then
    return ''
end
ends = 0
if ttl > 0 then
    ends = now + ttl
end
local lease = struct.pack('>I8I8', token, ends)
local keep = math.ceil(ttl / 1000) + remember
redis.call('SET', KEYS[1], lease .. string.sub(held, owner), 'PX', keep)
return lease
