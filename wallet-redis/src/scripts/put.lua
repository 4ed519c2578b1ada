-- Keeps each value unless one of the same or a later position is kept.
-- KEYS: one per value. ARGV: value, milliseconds to keep it; and so on.
-- A value begins with its position: epoch, then version, eight bytes each, the
-- highest first. They are compared in halves: a number here has 53 bits.
local kept_count = 0
for i = 1, #KEYS do
    local value = ARGV[2 * i - 1]
    local kept = redis.call('GETRANGE', KEYS[i], 0, 15)
    local newer = #kept < 16
    if not newer then
        local old = { struct.unpack('>I4I4I4I4', kept) }
        local new = { struct.unpack('>I4I4I4I4', value) }
        for part = 1, 4 do
            if new[part] ~= old[part] then
                newer = new[part] > old[part]
                break
            end
        end
    end
    if newer then
        redis.call('SET', KEYS[i], value, 'PX', ARGV[2 * i])
        kept_count = kept_count + 1
    end
end
return kept_count
