<?php
// A program with the PHP client of OpenAPI Generator. It prints what it saw.

declare(strict_types=1);

use OpenAPI\Client\Api\ConcernsApi;
use OpenAPI\Client\Api\EventsApi;
use OpenAPI\Client\Api\FollowUpApi;
use OpenAPI\Client\Api\GuidesApi;
use OpenAPI\Client\Api\ReferenceApi;
use OpenAPI\Client\ApiException;
use OpenAPI\Client\Configuration;
use OpenAPI\Client\Model\Concern;
use OpenAPI\Client\Model\Problem;
use OpenAPI\Client\ObjectSerializer;

const ATTEMPTS = 5; // more than the limit of the test
const SECTIONS = ['definitions', 'factors', 'indicators', 'linked_risks', 'responsibilities', 'contacts'];

set_error_handler(fn (int $kind, string $words) => throw new ErrorException($words, 0, $kind), E_ALL & ~E_DEPRECATED);
require '/usr/share/php/GuzzleHttp/autoload.php';
spl_autoload_register(function (string $name): void {
    $file = 'client/lib/' . str_replace(['OpenAPI\\Client\\', '\\'], ['', '/'], $name) . '.php';
    if (is_file($file)) {
        require $file;
    }
});

/** @template T @param class-string<T> $api @return T */
function api(string $api, ?string $token = null): object
{
    global $service;
    $configuration = (new Configuration())->setHost($service);
    if ($token !== null) {
        $configuration->setAccessToken($token);
    }
    return new $api(new GuzzleHttp\Client(['proxy' => '']), $configuration);
}

function concern_of(stdClass $example): Concern
{
    return ObjectSerializer::deserialize($example, Concern::class);
}

function guides(): array
{
    $sourced = [];
    foreach (api(GuidesApi::class)->listGuides()->getGuides() as $each) {
        $sourced[$each->getGuide()] = api(GuidesApi::class)->readGuide($each->getGuide())->getSource() !== null;
    }
    return $sourced;
}

function sections(string $guide): array
{
    $found = [];
    foreach (SECTIONS as $name) {
        $words = str_replace('_', '', ucwords($name, '_'));
        $items = api(GuidesApi::class)->{"read$words"}($guide)->{"get$words"}();
        $found[$name] = array_map(fn ($item) => $item->getId(), $items);
    }
    return $found;
}

/** Return whose receipt it is, or null if its signature is wrong. */
function verified(string $receipt, array $keys): ?string
{
    [$head, $body, $signature] = explode('.', $receipt);
    $kid = json_decode(decoded($head), true)['kid'];
    foreach ($keys as $key) {
        if ($key['kid'] === $kid && sodium_crypto_sign_verify_detached(decoded($signature), "$head.$body", decoded($key['x']))) {
            return json_decode(decoded($body), true)['jti'];
        }
    }
    return null;
}

function decoded(string $text): string
{
    return sodium_base642bin($text, SODIUM_BASE64_VARIANT_URLSAFE_NO_PADDING);
}

/** Return whose each receipt is, and then null: the last one has the signature of another. */
function verify_all(array $receipts): array
{
    $keys = array_map(fn ($key) => (array) $key, api(ReferenceApi::class)->readReceiptKeys()->getKeys());
    [$first, $second] = array_map(fn ($each) => $each->getReceipt(), $receipts);
    $forged = substr($first, 0, strrpos($first, '.')) . substr($second, strrpos($second, '.'));
    return array_map(fn ($each) => verified($each, $keys), [$first, $second, $forged]);
}

function refusal(callable $call): ApiException
{
    try {
        $call();
    } catch (ApiException $refused) {
        return $refused;
    }
    throw new LogicException('This must be refused.');
}

function problem_of(ApiException $refused): Problem
{
    return $refused->getResponseObject();
}

function faults(stdClass $example): array
{
    $refused = refusal(fn () => api(ConcernsApi::class)->raiseConcern(concern_of($example)->setGuide('no-such-guide')));
    return array_map(fn ($fault) => "{$fault->getPointer()} {$fault->getCode()}", problem_of($refused)->getErrors());
}

function events(string $key): array
{
    $told = api(EventsApi::class, $key)->readEvents(limit: 200)->getEvents();
    return array_map(fn ($event) => [$event->getType(), ((array) $event->getData())['reference'] ?? null], $told);
}

function too_many(string $key): array
{
    for ($attempt = 0; $attempt < ATTEMPTS; $attempt++) {
        try {
            api(EventsApi::class, $key)->readEvents();
        } catch (ApiException $refused) {
            $headers = array_change_key_case($refused->getResponseHeaders());
            return [(int) $headers['retry-after'][0], problem_of($refused)->getType()];
        }
    }
    throw new LogicException('There must be a limit.');
}

[, $service, $key, $guide, $file] = $argv;
$examples = json_decode(file_get_contents($file));
$receipts = array_map(
    fn ($example) => api(ConcernsApi::class)->raiseConcern(concern_of($example)),
    [$examples->smallest, $examples->full],
);
echo json_encode([
    'guides' => guides(),
    'sections' => sections($guide),
    'raised' => array_map(fn ($each) => $each->getReference(), $receipts),
    'followed' => array_map(
        fn ($each) => api(FollowUpApi::class, $each->getStatusToken())->readConcernStatus($each->getReference())->getState(),
        $receipts,
    ),
    'verified' => verify_all($receipts),
    'faults' => faults($examples->smallest),
    'events' => events($key),
    'too_many' => too_many($key),
], JSON_THROW_ON_ERROR);
