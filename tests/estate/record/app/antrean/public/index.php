<?php
// An older queue-ticket page with the log lines of CodeIgniter 3.

function log_message($level, $message)
{
    $file = dirname(__DIR__) . '/application/logs/log-' . date('Y-m-d') . '.php';
    $head = is_file($file) ? '' : "<?php defined('BASEPATH') OR exit('No direct script access allowed'); ?>\n\n";
    $line = strtoupper($level) . ' - ' . date('Y-m-d H:i:s') . " --> $message\n";
    file_put_contents($file, $head . $line, FILE_APPEND | LOCK_EX);
}

set_error_handler(function ($severity, $message, $file, $line) {
    log_message('error', "Severity: Warning --> $message $file $line");
    return false;
});

$parts = explode('/', trim(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '/'));
$method = $parts[1] ?? 'index';
if (!in_array($method, ['index', 'ambil', 'layar'], true)) {
    log_message('error', '404 Page Not Found: ' . ucfirst($method) . '/index');
    http_response_code(404);
    exit('404');
}
log_message('info', 'Controller Class Initialized');
if ($method === 'ambil') {
    // The fault: the counter may be missing.
    $counter = $_GET['loket'];
    log_message('info', "Nomor antrean untuk loket $counter");
}
echo '<h1>Antrean</h1><p>', date('H:i'), '</p>';
