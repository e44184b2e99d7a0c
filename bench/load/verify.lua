-- wrk: posts verifications, each with a body drawn at random from a file of bodies of equal length.
-- Arguments: the file, the length, the authorization header, the path.
local bodies, length, count, head

function init(args)
  local file = assert(io.open(args[1], "rb"))
  bodies = file:read("*a")
  file:close()
  length = tonumber(args[2])
  count = #bodies / length
  head = "POST " .. args[4] .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port ..
    "\r\nAuthorization: " .. args[3] .. "\r\nContent-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n"
  math.randomseed(os.time())
end

function request()
  local from = math.random(0, count - 1) * length
  return head .. bodies:sub(from + 1, from + length)
end
