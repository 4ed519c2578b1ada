-- Lends a name to an owner.
-- KEYS: the lock, kept as token, end in microseconds, owner.
-- ARGV: microseconds to lend it and milliseconds to remember the token afterwards,
-- owner; the time in microseconds, where it is not the server's.
-- Answers token and end, or nothing while somebody else has it.
-- Numbers are packed, eight bytes each.
-- A token is at least the time, so that it grows even when all is forgotten.
local now = tonumber(ARGV[3])
if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end
local token = now
local held = redis.call('GET', KEYS[1])
if held then
    local last, ended, owner = struct.unpack('>I8I8', held)
    if ended > now and string.sub(held, owner) ~= ARGV[2] then
        return ''
    end
    token = math.max(last + 1, now)
end
local ttl, remember = struct.unpack('>I8I8', ARGV[1])
local lease = struct.pack('>I8I8', token, now + ttl)
redis.call('SET', KEYS[1], lease .. ARGV[2], 'PX', math.ceil(ttl / 1000) + remember)
return lease
