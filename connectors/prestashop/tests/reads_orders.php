<?php
// Reads all orders of a shop over HTTP, adds up the rows of each and writes the sum into the order's note.
// Usage: php reads_orders.php <address> <key>; prints one line an order: id, reference, sum of its rows.

[, $address, $key] = $argv;

function call(string $method, string $url, string $key, string $body = ''): SimpleXMLElement
{
    $handle = curl_init($url);
    curl_setopt_array($handle, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPAUTH => CURLAUTH_BASIC,
        CURLOPT_USERPWD => $key . ':',
        CURLOPT_HTTPHEADER => ['Expect:'],
    ]);
    if ($body !== '') {
        curl_setopt($handle, CURLOPT_POSTFIELDS, $body);
    }
    $answer = curl_exec($handle);
    $status = curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
    if ($answer === false || $status >= 300) {
        fwrite(STDERR, "$method $url: $status $answer\n");
        exit(1);
    }
    return new SimpleXMLElement($answer, LIBXML_NOCDATA);
}

$list = call('GET', "$address/api/orders?display=full&sort=[id_ASC]", $key);
foreach ($list->orders->order as $order) {
    $sum = 0.0;
    foreach ($order->associations->order_rows->order_row as $row) {
        $sum += (float) $row->unit_price_tax_incl * (int) $row->product_quantity;
    }
    $note = sprintf('rows: %.2f', $sum);
    $body = "<prestashop><order><id>{$order->id}</id><note>$note</note></order></prestashop>";
    $written = call('PATCH', "$address/api/orders/{$order->id}", $key, $body);
    if ((string) $written->order->note !== $note) {
        fwrite(STDERR, "the note of order {$order->id} was not written\n");
        exit(1);
    }
    echo "{$order->id} {$order->reference} ", sprintf('%.2f', $sum), "\n";
}
