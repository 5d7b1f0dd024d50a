<?php

// What the pages in public/ share: settings, database, layout.
require __DIR__ . '/../../clients/php/RechargeGateway.php';

// Your session says who it is.
const USER_ID = '42';

// With display_errors on, PHP answers 200 to a request that failed: for a callback that is an acknowledgement.
ini_set('display_errors', '0');

function setting(string $name, ?string $default = null): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        if ($default === null) {
            throw new RuntimeException("$name is not set");
        }
        return $default;
    }
    return $value;
}

/** SQLite here; the statements are those of MySQL and Postgres too, but for `on conflict` (MySQL: insert ignore). */
function database(): PDO
{
    static $database = null;
    if ($database === null) {
        $database = new PDO('sqlite:' . setting('SHOP_DATABASE', __DIR__ . '/shop.sqlite'));
        $database->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
        $database->setAttribute(PDO::ATTR_TIMEOUT, 5); // Seconds to wait for another request's transaction.
        $database->exec('pragma foreign_keys = on');
        if (!$database->query("select 1 from sqlite_master where name = 'booking_of_top_up'")->fetch()) {
            $database->exec(file_get_contents(__DIR__ . '/schema.sql'));
        }
    }
    return $database;
}

/** @return array|false the first row */
function firstRow(string $sql, array $values)
{
    $statement = database()->prepare($sql);
    $statement->execute($values);
    return $statement->fetch(PDO::FETCH_ASSOC);
}

function page(string $body, int $refreshS = 0): string
{
    $refresh = $refreshS ? "<meta http-equiv=\"refresh\" content=\"$refreshS\">" : '';
    return "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">$refresh
<title>Shop</title><style>body { font: 16px system-ui; max-width: 36em; margin: 2em auto; padding: 0 1em }
code { font-size: 110%; overflow-wrap: anywhere } .error { color: #b00 }</style>
</head><body>$body</body></html>";
}

function escape(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES);
}

/** @param int $units 1/10000 USDT; returns decimal USDT: '3.0001' */
function usdt(int $units): string
{
    return rtrim(rtrim(sprintf('%d.%04d', intdiv($units, 10000), $units % 10000), '0'), '.');
}
