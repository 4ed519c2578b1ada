-- Keeps each value unless one of the same or a later version is kept.
-- KEYS: one per value. ARGV: value, milliseconds to keep it; and so on.
-- A value begins with its version, eight bytes, the highest first. Versions are
-- compared in halves: a number here has 53 bits.
local kept_count = 0
for i = 1, #KEYS do
    local value = ARGV[2 * i - 1]
    local kept = redis.call('GETRANGE', KEYS[i], 0, 7)
    local newer = #kept < 8
    if not newer then
        local kept_high, kept_low = struct.unpack('>I4I4', kept)
        local high, low = struct.unpack('>I4I4', value)
        newer = high > kept_high or (high == kept_high and low > kept_low)
    end
    if newer then
        redis.call('SET', KEYS[i], value, 'PX', ARGV[2 * i])
        kept_count = kept_count + 1
    end
end
return kept_count
