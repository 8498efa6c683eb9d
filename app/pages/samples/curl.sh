# the indicators of a guide, with the cautions that must be read with them
curl -s http://127.0.0.1:8000/v1/guides/child-sexual-exploitation/indicators

# would this concern be accepted? nothing is stored
curl -s http://127.0.0.1:8000/v1/concerns/check -H 'Content-Type: application/json' -d '{
  "immediate_danger": "not_sure",
  "reporter": {"kind": "member_of_public"},
  "children": [{}],
  "concern": {"narrative": "Alex Example is often at the bus station late at night."}
}'
