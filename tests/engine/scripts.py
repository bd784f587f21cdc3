"""scripts: calls functions of the library's files below the runtime, many in one script."""
import harness

FILES = ("00_pack.lua", "05_number.lua", "06_value.lua")

# Each call is a name and two strings; what it answers is bytes, or "!" with a code.
RUN = """
local answers = {}
for i = 1, #ARGV, 3 do
    local first, second = CALLS[ARGV[i]](ARGV[i + 1], ARGV[i + 2])
    answers[#answers + 1] = first and first .. (second or "") or "!" .. (second or "")
end
return answers
"""


class Scripts:
    """Runs calls of a table of functions, written in Lua."""

    def __init__(self, server, calls):
        folder = harness.ROOT / "daemon" / "engine" / "lua"
        text = "".join((folder / file).read_text("utf-8") for file in FILES)
        self.script = server.redis.register_script(text + "local CALLS = " + calls + RUN)

    def run(self, calls):
        """The answers to calls, each a tuple (name, string[, string])."""
        answers = []
        for at in range(0, len(calls), 1000):
            strings = []
            for call in calls[at:at + 1000]:
                strings += [*call, *[""] * (3 - len(call))]
            answers += self.script(args=strings)
        return answers
