-- wrk: posts bodies from a file of bodies of equal length, each drawn at random or one after the other.
-- Arguments: the file, the length, the authorization header, the path, and the position of the first body to post them in
-- order, else -1.
local bodies, length, count, head, next_at

function init(args)
  local file = assert(io.open(args[1], "rb"))
  bodies = file:read("*a")
  file:close()
  length = tonumber(args[2])
  count = #bodies / length
  next_at = tonumber(args[5])
  head = "POST " .. args[4] .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port ..
    "\r\nAuthorization: " .. args[3] .. "\r\nContent-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n"
  math.randomseed(os.time())
end

function request()
  local at
  if next_at < 0 then
    at = math.random(0, count - 1)
  else
    at = next_at % count
    next_at = next_at + 1
  end
  local from = at * length
  return head .. bodies:sub(from + 1, from + length)
end
