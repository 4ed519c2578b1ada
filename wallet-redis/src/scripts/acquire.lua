-- Lends a name to an owner.
-- KEYS: the lock, kept as token and end in microseconds, eight bytes each, and
-- the owner. ARGV: the time in microseconds or '' for the server's, owner,
-- microseconds to lend it, milliseconds to remember the token afterwards.
-- Answers token and end, or nothing while somebody else has it.
-- A token is at least the time, so that it grows even when all is forgotten.
local now
if ARGV[1] == '' then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
else
    now = tonumber(ARGV[1])
end
local token = now
local held = redis.call('GET', KEYS[1])
if held then
    local last, ended, next = struct.unpack('>dd', held)
    if ended > now and string.sub(held, next) ~= ARGV[2] then
        return {}
    end
    token = math.max(last + 1, now)
end
local ends = now + ARGV[3]
local keep = math.ceil(ARGV[3] / 1000) + ARGV[4]
redis.call('SET', KEYS[1], struct.pack('>dd', token, ends) .. ARGV[2], 'PX', keep)
return { token, ends }
