package webhooks

// SignatureOf lets tests sign bodies that SignPlain would never write.
var SignatureOf = signatureOf
