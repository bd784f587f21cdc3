-- value: MessagePack values of any kind: which of them may be keys, and their printed form for
-- people (proto/value.c and proto/print.c of the daemon).
--
-- Every function takes whole, valid encodings, at most as deep as the daemon lets any in.

local value = {}
ipcd.value = value

-- First bytes with a length, a count or a number behind them: kind, and how many bytes that takes.
local FORMS = {
    [0xc4] = { "bin", 1 },
    [0xc5] = { "bin", 2 },
    [0xc6] = { "bin", 4 },
    [0xc7] = { "ext", 1 },
    [0xc8] = { "ext", 2 },
    [0xc9] = { "ext", 4 },
    [0xca] = { "number", 4 },
    [0xcb] = { "number", 8 },
    [0xcc] = { "number", 1 },
    [0xcd] = { "number", 2 },
    [0xce] = { "number", 4 },
    [0xcf] = { "number", 8 },
    [0xd0] = { "number", 1 },
    [0xd1] = { "number", 2 },
    [0xd2] = { "number", 4 },
    [0xd3] = { "number", 8 },
    [0xd9] = { "str", 1 },
    [0xda] = { "str", 2 },
    [0xdb] = { "str", 4 },
    [0xdc] = { "array", 2 },
    [0xdd] = { "array", 4 },
    [0xde] = { "map", 2 },
    [0xdf] = { "map", 4 },
}

-- The header at a position: its kind; where what follows it stands; the length of a str, bin or
-- ext, or the count of an array or map, else 0; and the type of an ext.
local function header(bytes, at)
    local first = bytes:byte(at)
    if first < 0x80 or first >= 0xe0 then
        return "number", at + 1, 0
    elseif first < 0x90 then
        return "map", at + 1, first - 0x80
    elseif first < 0xa0 then
        return "array", at + 1, first - 0x90
    elseif first < 0xc0 then
        return "str", at + 1, first - 0xa0
    elseif first <= 0xc3 then
        return first == 0xc0 and "nil" or "bool", at + 1, 0
    elseif first >= 0xd4 and first <= 0xd8 then
        return "ext", at + 2, 2 ^ (first - 0xd4), (struct.unpack("b", bytes, at + 1))
    end
    local kind, size = FORMS[first][1], FORMS[first][2]
    if kind == "number" then
        return kind, at + 1 + size, 0
    end
    local length = struct.unpack(">I" .. size, bytes, at + 1)
    if kind == "ext" then
        return kind, at + 2 + size, length, (struct.unpack("b", bytes, at + 1 + size))
    end
    return kind, at + 1 + size, length
end

local function is_nan(bytes)
    local kind, double = ipcd.number.read(bytes)
    return kind == "f" and double ~= double
end

-- What keeps a value from being a key, completing "it is …"; nil if nothing does. In an array a
-- NaN may be, since it is found again by its bytes.
function value.key_fault(bytes)
    local at = 1
    while at <= #bytes do
        local kind, body, length, ext = header(bytes, at)
        local inside = at > 1
        if kind == "map" then
            return inside and "an array that holds a map" or "a map"
        elseif kind == "number" and not inside and is_nan(bytes) then
            return "NaN"
        elseif ext == 1 then
            return inside and "an array that holds an object reference" or "an object reference"
        elseif ext == 2 then
            return inside and "an array that holds a file descriptor" or "a file descriptor"
        end
        at = (kind == "array") and body or body + length
    end
    return nil
end

-- The text is put together from pieces that are never cut in two; the first one that goes over the
-- limit becomes "…" and ends the printing.
local function put(printer, piece)
    if printer.stopped then
        return
    elseif #piece > printer.room then
        piece = "…"
        printer.stopped = true
    else
        printer.room = printer.room - #piece
    end
    printer[#printer + 1] = piece
end

local function float_text(double)
    if double ~= double then
        return "NaN"
    elseif double == 1 / 0 then
        return "Infinity"
    elseif double == -1 / 0 then
        return "-Infinity"
    end
    local text
    for digits = 15, 17 do -- the fewest that read back as the same number
        text = string.format("%." .. digits .. "g", double)
        if tonumber(text) == double then
            break
        end
    end
    return text:find("[.e]") and text or text .. ".0"
end

local function number_text(bytes)
    local kind, a, b = ipcd.number.read(bytes)
    return kind == "f" and float_text(a) or ipcd.number.to_text(a, b)
end

-- The bytes that may follow the first one of a UTF-8 character, for those first ones that narrow
-- the second byte (RFC 3629).
local SECOND = {
    [0xe0] = { 0xa0, 0xbf },
    [0xed] = { 0x80, 0x9f },
    [0xf0] = { 0x90, 0xbf },
    [0xf4] = { 0x80, 0x8f },
}

-- The length of the UTF-8 character at a position; nil if there is none.
local function character_length(text, at)
    local first = text:byte(at)
    local length = first < 0x80 and 1
        or first >= 0xc2 and first < 0xe0 and 2
        or first >= 0xe0 and first < 0xf0 and 3
        or first >= 0xf0 and first < 0xf5 and 4
    local narrow = SECOND[first] or { 0x80, 0xbf }
    for i = 1, (length or 1) - 1 do
        local byte = text:byte(at + i)
        local low, high = 0x80, 0xbf
        if i == 1 then
            low, high = narrow[1], narrow[2]
        end
        if not byte or byte < low or byte > high then
            return nil
        end
    end
    return length or nil
end

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- The printed form of the character at a position, and where the next one stands.
local function character(text, at)
    local first = text:byte(at)
    local length = character_length(text, at)
    if SHORT[text:sub(at, at)] then
        return SHORT[text:sub(at, at)], at + 1
    elseif not length then
        return string.format("\\x%02x", first), at + 1
    elseif first < 0x20 or first == 0x7f then
        return string.format("\\u%04x", first), at + 1
    elseif first == 0xc2 and text:byte(at + 1) < 0xa0 then -- the controls U+0080 to U+009F
        return string.format("\\u%04x", text:byte(at + 1)), at + 2
    end
    return text:sub(at, at + length - 1), at + length
end

local function put_str(printer, text)
    local at = 1
    put(printer, '"')
    while at <= #text and not printer.stopped do
        local piece
        piece, at = character(text, at)
        put(printer, piece)
    end
    put(printer, '"')
end

local function put_bytes(printer, bytes)
    put(printer, 'b"')
    for i = 1, #bytes do
        local byte = bytes:byte(i)
        if printer.stopped then
            break
        elseif byte < 0x20 or byte > 0x7e then
            put(printer, string.format("\\x%02x", byte))
        else
            put(printer, ((byte == 0x22 or byte == 0x5c) and "\\" or "") .. string.char(byte))
        end
    end
    put(printer, '"')
end

local function put_ext(printer, kind, body)
    if kind == 1 then
        put(printer, "reference(")
        put_str(printer, body)
    elseif kind == 2 and #body == 1 then
        put(printer, string.format("descriptor(%d", body:byte()))
    else
        put(printer, string.format("ext(%d, ", kind))
        put_bytes(printer, body)
    end
    put(printer, ")")
end

local put_value

-- Puts what is in an array or a map, and says what stands behind it.
local function put_inside(printer, bytes, at, count, is_map)
    for i = 1, count do
        if printer.stopped then
            break
        end
        put(printer, i > 1 and ", " or "")
        at = put_value(printer, bytes, at)
        if is_map then
            put(printer, ": ")
            at = put_value(printer, bytes, at)
        end
    end
    return at
end

-- Puts the value at a position, and says where the next one stands; nowhere once it has stopped.
function put_value(printer, bytes, at)
    if printer.stopped then
        return at
    end
    local kind, body, length, ext = header(bytes, at)
    local behind = body + length
    if kind == "nil" then
        put(printer, "null")
    elseif kind == "bool" then
        put(printer, bytes:byte(at) == 0xc3 and "true" or "false")
    elseif kind == "number" then
        put(printer, number_text(bytes:sub(at, body - 1)))
    elseif kind == "str" then
        put_str(printer, bytes:sub(body, behind - 1))
    elseif kind == "bin" then
        put_bytes(printer, bytes:sub(body, behind - 1))
    elseif kind == "ext" then
        put_ext(printer, ext, bytes:sub(body, behind - 1))
    else
        put(printer, kind == "map" and "{" or "[")
        behind = put_inside(printer, bytes, body, length, kind == "map")
        put(printer, kind == "map" and "}" or "]")
    end
    return behind
end

-- A value as text for people, cut off with "…" at about `limit` bytes (default: 64).
function value.print(bytes, limit)
    local printer = { room = limit or 64 }
    put_value(printer, bytes, 1)
    return table.concat(printer)
end
