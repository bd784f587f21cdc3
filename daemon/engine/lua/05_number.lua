-- number: MessagePack numbers as the daemon's own objects have them (proto/number.c), where Lua has
-- doubles only.
--
-- An integer is a pair hi, lo: its value is hi * 2^32 + lo, lo from 0 to 2^32-1 and hi from -2^31
-- to 2^32-1; so all that MessagePack has, -2^63 to 2^64-1, is there exactly, and each step below
-- stays under 2^53, where doubles are exact.
--
-- Two strings are never compared by < here: Redis orders them by the locale of its process, not by
-- bytes.

local number = {}
ipcd.number = number

local WORD = 4294967296 -- 2^32
local PART = 1000000 -- a decimal text is taken apart into its last six digits and those before

local INTEGERS = { -- first byte of an integer that has more bytes: how they are read
    [0xcc] = ">B",
    [0xcd] = ">I2",
    [0xce] = ">I4",
    [0xcf] = ">I4I4",
    [0xd0] = ">b",
    [0xd1] = ">i2",
    [0xd2] = ">i4",
    [0xd3] = ">i4I4",
}

local function split(n) -- of an integer below 2^53
    local hi = math.floor(n / WORD)
    return hi, n - hi * WORD
end

-- A number, by its MessagePack: "i", hi, lo; or "f", the double; or nil, if it is none.
function number.read(value)
    local first = value:byte(1)
    if first < 0x80 then
        return "i", 0, first
    elseif first >= 0xe0 then
        return "i", -1, WORD + first - 0x100
    elseif first == 0xcb then
        return "f", (struct.unpack(">d", value, 2))
    elseif first == 0xca then
        return "f", (struct.unpack(">f", value, 2))
    end
    local form = INTEGERS[first]
    if not form then
        return nil
    end
    local a, b = struct.unpack(form, value, 2)
    if first == 0xcf or first == 0xd3 then
        return "i", a, b
    end
    return "i", split(a)
end

-- The canonical MessagePack of an integer.
function number.pack(hi, lo)
    if hi > 0 then
        return struct.pack(">BI4I4", 0xcf, hi, lo)
    elseif hi == 0 then
        return lo < 0x80 and string.char(lo)
            or lo < 0x100 and string.char(0xcc, lo)
            or lo < 0x10000 and struct.pack(">BI2", 0xcd, lo)
            or struct.pack(">BI4", 0xce, lo)
    elseif hi < -1 or lo < WORD / 2 then
        return struct.pack(">Bi4I4", 0xd3, hi, lo)
    end
    local n = lo - WORD
    return n >= -32 and string.char(0x100 + n)
        or n >= -0x80 and struct.pack(">Bb", 0xd0, n)
        or n >= -0x8000 and struct.pack(">Bi2", 0xd1, n)
        or struct.pack(">Bi4", 0xd2, n)
end

-- The integer of a decimal text of -2^63 to 2^64-1: hi, lo; or nil, if it is none.
function number.from_text(text)
    local sign, digits = text:match("^(%-?)0*(%d+)$")
    if not digits or #digits > 20 then
        return nil
    end
    local above = tonumber(digits:sub(1, -7)) or 0
    local hi, lo = split(above)
    lo = lo * PART + tonumber(digits:sub(-6))
    local carry
    carry, lo = split(lo)
    hi = hi * PART + carry
    if sign == "-" and hi + lo > 0 then
        hi, lo = -hi, -lo
        if lo < 0 then
            hi, lo = hi - 1, lo + WORD
        end
    end
    if hi < -WORD / 2 or hi >= WORD then
        return nil
    end
    return hi, lo
end

-- The decimal text of an integer.
function number.to_text(hi, lo)
    local sign = ""
    if hi < 0 then
        sign, hi = "-", -hi
        if lo > 0 then
            hi, lo = hi - 1, WORD - lo
        end
    end
    local above = math.floor(hi / PART)
    local rest = (hi - above * PART) * WORD + lo
    local middle = math.floor(rest / PART)
    above = above * WORD + middle
    local below = rest - middle * PART
    if above > 0 then
        return string.format("%s%.0f%06d", sign, above, below)
    end
    return string.format("%s%d", sign, below)
end

-- The decimal text of an integer by its MessagePack.
function number.text(value)
    local _, hi, lo = number.read(value)
    return number.to_text(hi, lo)
end

-- The canonical MessagePack of the integer that a decimal text says.
function number.pack_text(text)
    return number.pack(number.from_text(text))
end

-- The order of the integers of two decimal texts: -1, 0 or 1.
function number.compare_text(a, b)
    local a_hi, a_lo = number.from_text(a)
    local b_hi, b_lo = number.from_text(b)
    if a_hi ~= b_hi then
        return a_hi < b_hi and -1 or 1
    end
    return a_lo == b_lo and 0 or a_lo < b_lo and -1 or 1
end

-- The double of a number as read; an integer is rounded to the nearest one, once.
local function double_of(kind, a, b)
    return kind == "f" and a or a * WORD + b
end

-- The double next to a number, by its MessagePack; nil if it is none.
function number.double(value)
    local kind, a, b = number.read(value)
    return kind and double_of(kind, a, b)
end

-- The sum of two numbers, as MessagePack in canonical form: an integer if both are, else a float.
-- nil, "TYPE" if one is no number; nil, "RANGE" if the sum of integers is outside -2^63 to 2^64-1.
function number.add(a, b)
    local a_kind, a_hi, a_lo = number.read(a)
    local b_kind, b_hi, b_lo = number.read(b)
    if not a_kind or not b_kind then
        return nil, "TYPE"
    elseif a_kind == "f" or b_kind == "f" then
        local sum = double_of(a_kind, a_hi, a_lo) + double_of(b_kind, b_hi, b_lo)
        return struct.pack(">Bd", 0xcb, sum)
    end
    local hi, lo = a_hi + b_hi, a_lo + b_lo
    if lo >= WORD then
        hi, lo = hi + 1, lo - WORD
    end
    if hi < -WORD / 2 or hi >= WORD then
        return nil, "RANGE"
    end
    return number.pack(hi, lo)
end

-- What a handler answers whose sum was refused with that code; `what` it was that is no number.
function number.refuse(method, code, what)
    if code == "TYPE" then
        return nil, code, string.format("%s: the value %s is not a number", method, what)
    end
    local text = "%s: the sum is not between -2^63 and 2^64-1; nothing was changed"
    return nil, code, text:format(method)
end

-- The sort key of every NaN, behind those of all other numbers.
number.NAN_KEY = ("\255"):rep(10)

-- The bytes of a double, changed so that they sort as the doubles do; 0.0 and -0.0 are the same.
local function sortable(double)
    local hi, lo = struct.unpack(">I4I4", struct.pack(">d", double + 0))
    if double < 0 then
        return struct.pack(">I4I4", WORD - 1 - hi, WORD - 1 - lo)
    end
    return struct.pack(">I4I4", hi + WORD / 2, lo)
end

-- Of a number: the double next to it, and how far from that it is. To round never turns an order
-- round; so integers and floats sort by their exact values, and equal ones have equal keys.
local function number_key(kind, hi, lo)
    local double = double_of(kind, hi, lo)
    local beyond = 0
    if double ~= double then
        return number.NAN_KEY
    elseif kind == "i" then
        local double_hi = math.floor(double / WORD)
        beyond = (hi - double_hi) * WORD + lo - (double - double_hi * WORD)
    end
    return sortable(double) .. struct.pack(">I2", 0x8000 + beyond)
end

-- First byte of a str or bin with its length behind it: kind, and bytes of the header.
local RUNS = {
    [0xd9] = { "s", 2 },
    [0xda] = { "s", 3 },
    [0xdb] = { "s", 5 },
    [0xc4] = { "b", 2 },
    [0xc5] = { "b", 3 },
    [0xc6] = { "b", 5 },
}

-- How a value sorts: its kind ("n" numbers, "s" strs, "b" bins) and a string, whose bytes order the
-- values of that kind. nil, "TYPE" for others. A NaN has number.NAN_KEY.
function number.sort_key(value)
    local first = value:byte(1)
    if first >= 0xa0 and first < 0xc0 then
        return "s", value:sub(2)
    end
    local run = RUNS[first]
    if run then
        return run[1], value:sub(run[2] + 1)
    end
    local kind, a, b = number.read(value)
    if not kind then
        return nil, "TYPE"
    end
    return "n", number_key(kind, a, b)
end

-- True if the bytes of one sort key come before those of another; a prefix comes first.
function number.is_before(a, b)
    local low, high = 0, math.min(#a, #b) -- so many bytes are the same, at least and at most
    while low < high do
        local middle = math.ceil((low + high) / 2)
        if a:sub(low + 1, middle) == b:sub(low + 1, middle) then
            low = middle
        else
            high = middle - 1
        end
    end
    local left, right = a:byte(low + 1), b:byte(low + 1)
    return right ~= nil and (left == nil or left < right)
end
