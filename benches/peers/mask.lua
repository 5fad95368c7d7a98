-- What users of an API gateway write: decode the reply, mask eight fields of each record, encode it again.
local cjson = require "cjson"
local bullet = "\226\128\162"

local function last_two(value)
  local digits = value:gsub("[^%w]", "")
  if #digits < 4 then return cjson.null end
  return bullet:rep(4) .. " " .. digits:sub(-2)
end

local function iban(value)
  local symbols = value:gsub("[^%w]", ""):upper()
  if #symbols < 16 then return cjson.null end
  local masked = {}
  for place = 1, #symbols do
    if place > 1 and place % 4 == 1 then masked[#masked + 1] = " " end
    local shown = place <= 4 or place > #symbols - 4
    masked[#masked + 1] = shown and symbols:sub(place, place) or bullet
  end
  return table.concat(masked)
end

local masks = {
  phone_home = last_two,
  phone_mobile = last_two,
  phone_work = last_two,
  phone_other = last_two,
  birthdate = function(value) return value:match("^(%d%d%d%d)%-%d%d%-%d%d$") or cjson.null end,
  iban_c = iban,
  bic_c = function(value) return value:sub(1, 4) .. bullet:rep(4) end,
  nir_c = function() return cjson.null end,
}

local function treat(body)
  local list = cjson.decode(body)
  for _, record in ipairs(list.records) do
    for field, mask in pairs(masks) do
      local value = record[field]
      if type(value) == "string" and value ~= "" then record[field] = mask(value) end
    end
  end
  return cjson.encode(list)
end

-- The body arrives in pieces; it is treated once it is whole.
return function()
  local pieces = ngx.ctx.pieces
  if not pieces then
    pieces = {}
    ngx.ctx.pieces = pieces
  end
  pieces[#pieces + 1] = ngx.arg[1]
  if ngx.arg[2] then
    ngx.arg[1] = treat(table.concat(pieces))
  else
    ngx.arg[1] = nil
  end
end
