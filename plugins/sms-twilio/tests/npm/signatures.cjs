// Twilio's own library judges calls: on stdin a list of { token, signature, url, fields } or { …, body }, on stdout for each whether it is
// believed, and what signature the library makes itself.
const { getExpectedTwilioSignature, validateRequest, validateRequestWithBody } = require("twilio/lib/webhooks/webhooks");

const calls = JSON.parse(require("fs").readFileSync(0, "utf8"));
const judged = calls.map(({ token, signature, url, fields, body }) => ({
  believed:
    body === undefined
      ? validateRequest(token, signature, url, fields)
      : validateRequestWithBody(token, signature, url, body),
  signature: getExpectedTwilioSignature(token, url, fields),
}));
process.stdout.write(JSON.stringify(judged));
