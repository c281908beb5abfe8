// Stripe's own library judges events: on stdin a list of { secret, header, body, at }, on stdout for each whether it is believed, and what
// header the library makes itself.
const Stripe = require("stripe");
const { webhooks } = new Stripe("sk_test_none");

const calls = JSON.parse(require("fs").readFileSync(0, "utf8"));
const judged = calls.map(({ secret, header, body, at }) => {
  const made = webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at });
  try {
    webhooks.constructEvent(body, header, secret, 300, undefined, at * 1000);
    return { believed: true, header: made };
  } catch (error) {
    return { believed: false, header: made };
  }
});
process.stdout.write(JSON.stringify(judged));
