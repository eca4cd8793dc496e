-- Sends a study to the report engine when it has stopped growing.
--
-- Reports that come back make the study stable again, so only images count: a study is sent when it
-- has another number of images than when it was last sent. The number is kept as study metadata.

TARGET = "radgen"
ROUTED = "RadgenRouted"
NOT_IMAGES = { SR = true, KO = true, PR = true, DOC = true, SEG = true, RWV = true, AU = true }

function OnStableStudy(studyId, tags, metadata)
  local images = {}
  local count = 0
  for _, series in ipairs(ParseJson(RestApiGet("/studies/" .. studyId .. "/series", true))) do
    if not NOT_IMAGES[series["MainDicomTags"]["Modality"]] then
      table.insert(images, series["ID"])
      count = count + #series["Instances"]
    end
  end
  if count == 0 or tostring(metadata[ROUTED]) == tostring(count) then
    return
  end
  -- Permissive false: a job with a dead receiver must fail, not succeed. Orthanc does not try
  -- again; the engine finds what it missed by asking (radgen.pacs.find.studies_between).
  local job = RestApiPost("/modalities/" .. TARGET .. "/store",
    DumpJson({ Resources = images, Synchronous = false, Permissive = false }, true), true)
  if job then
    RestApiPut("/studies/" .. studyId .. "/metadata/" .. ROUTED, tostring(count), true)
  end
end
