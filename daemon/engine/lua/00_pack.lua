-- pack: pieces of MessagePack, as results are made of, and values as they are stored.
--
-- All files of this folder are one chunk, in the order of their names (tools/engine-library). A
-- `local` of a file's own level is seen by the files behind it if the name of its file begins with
-- less than 30, and in its own file else: what types share is in these tables. While the library is
-- loaded there are neither cmsgpack and struct nor redis.call: they are to be named in functions.
--
-- The stored form of a value: its MessagePack bytes, if those are canonical; else 0xC1, which no
-- MessagePack begins with, the length of the canonical form as a big-endian u32, the canonical
-- form, and the bytes as they came.
--
-- Tests: tests/engine/test_pack.py.

local ipcd = {
    pack = {},    -- this file
    number = {},  -- 05_number.lua
    types = {},   -- the types of objects, by name; see 20_object.lua
    methods = {}, -- by name; see ipcd.method in 10_core.lua
}

ipcd.pack.nil_ = "\192"

function ipcd.pack.bool(value)
    return value and "\195" or "\194"
end

-- An integer that a double holds: |n| <= 2^53.
function ipcd.pack.int(n)
    return cmsgpack.pack(n)
end

function ipcd.pack.double(x)
    return struct.pack(">Bd", 0xcb, x)
end

function ipcd.pack.str(s)
    return cmsgpack.pack(s)
end

function ipcd.pack.bin(s)
    local size = #s
    if size < 256 then
        return struct.pack("BB", 0xc4, size) .. s
    elseif size < 65536 then
        return struct.pack(">BI2", 0xc5, size) .. s
    end
    return struct.pack(">BI4", 0xc6, size) .. s
end

-- The head of an array of n values, which follow.
function ipcd.pack.array(n)
    if n < 16 then
        return string.char(0x90 + n)
    elseif n < 65536 then
        return struct.pack(">BI2", 0xdc, n)
    end
    return struct.pack(">BI4", 0xdd, n)
end

-- The head of a map of n pairs, which follow.
function ipcd.pack.map(n)
    if n < 16 then
        return string.char(0x80 + n)
    elseif n < 65536 then
        return struct.pack(">BI2", 0xde, n)
    end
    return struct.pack(">BI4", 0xdf, n)
end

-- A pair of a map: the key is a str, the value packed already.
function ipcd.pack.pair(key, packed)
    return cmsgpack.pack(key) .. packed
end

-- A point in time, given in milliseconds, as timestamps are packed (ext -1, 32 or 64 bits).
function ipcd.pack.time(ms)
    local seconds = math.floor(ms / 1000)
    local ns = (ms - seconds * 1000) * 1000000
    if ns == 0 and seconds < 4294967296 then
        return struct.pack(">BbI4", 0xd6, -1, seconds)
    end
    local high = math.floor(seconds / 4294967296)
    return struct.pack(">BbI4I4", 0xd7, -1, ns * 4 + high, seconds - high * 4294967296)
end

-- The halves of decimal digits, as two numbers of 32 bits; nil if they are 2^64 or more.
local function halves(digits)
    local high, low = 0, 0
    for i = 1, #digits do
        low = low * 10 + (digits:byte(i) - 48)
        local carry = math.floor(low / 4294967296)
        low = low - carry * 4294967296
        high = high * 10 + carry
    end
    if high < 4294967296 then
        return high, low
    end
end

-- An integer given in decimal, from -2^63 to 2^64 - 1.
function ipcd.pack.int_text(text)
    if #text <= 15 then
        return cmsgpack.pack(tonumber(text))
    end
    if text:byte(1) ~= 45 then
        local high, low = halves(text)
        if high == 0 then
            return struct.pack(">BI4", 0xce, low)
        end
        return struct.pack(">BI4I4", 0xcf, high, low)
    end
    local high, low = halves(text:sub(2))
    if low == 0 then
        high = 4294967296 - high
    else
        high, low = 4294967295 - high, 4294967296 - low
    end
    return struct.pack(">BI4I4", 0xd3, high, low)
end

-- A stored value as it came: what results contain.
function ipcd.pack.raw(v)
    if v:byte(1) == 0xc1 then
        return v:sub(6 + struct.unpack(">I4", v, 2))
    end
    return v
end

-- A stored value in its canonical form: equal values have equal ones.
function ipcd.pack.canon(v)
    if v:byte(1) == 0xc1 then
        return v:sub(6, 5 + struct.unpack(">I4", v, 2))
    end
    return v
end

ipcd.pack.kinds = { [0xc0] = "nil", [0xc2] = "bool", [0xc3] = "bool",
    [0xc4] = "bin", [0xc5] = "bin", [0xc6] = "bin", [0xc7] = "ext", [0xc8] = "ext", [0xc9] = "ext",
    [0xca] = "double", [0xcb] = "double", [0xcc] = "int", [0xcd] = "int", [0xce] = "int",
    [0xcf] = "int", [0xd0] = "int", [0xd1] = "int", [0xd2] = "int", [0xd3] = "int",
    [0xd4] = "ext", [0xd5] = "ext", [0xd6] = "ext", [0xd7] = "ext", [0xd8] = "ext",
    [0xd9] = "str", [0xda] = "str", [0xdb] = "str", [0xdc] = "array", [0xdd] = "array",
    [0xde] = "map", [0xdf] = "map" }

-- What MessagePack bytes begin with: "nil", "bool", "int", "double", "str", "bin", "array", "map"
-- or "ext"; nil if it is no value.
function ipcd.pack.kind(v)
    local first = v:byte(1)
    if first < 0x80 or first >= 0xe0 then
        return "int"
    elseif first < 0x90 then
        return "map"
    elseif first < 0xa0 then
        return "array"
    elseif first < 0xc0 then
        return "str"
    end
    return ipcd.pack.kinds[first]
end

-- Takes a scalar apart: its kind and its value in Lua. An int beyond 2^53 is rounded: 05_number.lua
-- is exact. Of an array, map or ext: the kind alone.
function ipcd.pack.parse(v)
    local kind = ipcd.pack.kind(v)
    if kind == "bin" then
        return kind, v:sub(v:byte(1) == 0xc4 and 3 or v:byte(1) == 0xc5 and 4 or 6)
    elseif kind == "array" or kind == "map" or kind == "ext" then
        return kind
    end
    return kind, cmsgpack.unpack(v)
end
