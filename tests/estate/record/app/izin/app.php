<?php
// A small permit service with the faults that the recorded attacks need, and the log lines of Laravel.

declare(strict_types=1);

const ROOT = __DIR__;

function log_line(string $level, string $message, array $context = []): void
{
    $tail = $context ? ' ' . json_encode($context, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) : ' ';
    $line = '[' . date('Y-m-d H:i:s') . "] production.$level: $message$tail\n";
    file_put_contents(ROOT . '/storage/logs/laravel.log', $line, FILE_APPEND | LOCK_EX);
}

function log_exception(Throwable $e): void
{
    $what = sprintf(
        '[object] (%s(code: %s): %s at %s:%d)',
        str_replace('\\', '\\\\', $e::class), $e->getCode(), addcslashes($e->getMessage(), '"'),
        $e->getFile(), $e->getLine(),
    );
    $line = '[' . date('Y-m-d H:i:s') . '] production.ERROR: ' . $e->getMessage()
        . " {\"exception\":\"$what\n[stacktrace]\n" . $e->getTraceAsString() . "\n\"} \n";
    file_put_contents(ROOT . '/storage/logs/laravel.log', $line, FILE_APPEND | LOCK_EX);
}

function database(): PDO
{
    $env = parse_ini_file(ROOT . '/.env');
    return new PDO(
        "pgsql:host={$env['DB_HOST']};dbname={$env['DB_DATABASE']}", $env['DB_USERNAME'], $env['DB_PASSWORD'],
        [PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION],
    );
}

function page(string $title, string $body, int $status = 200): void
{
    http_response_code($status);
    $extra = is_file(ROOT . '/storage/footer.html') ? file_get_contents(ROOT . '/storage/footer.html') : '';
    echo "<!doctype html><html lang=id><meta charset=utf-8><title>$title</title>",
        '<link rel=stylesheet href=/css/app.css><h1>', $title, '</h1>', $body,
        '<footer>Dinas Penanaman Modal dan PTSP</footer>', $extra;
}

function search(string $words): void
{
    // The fault: the words of the visitor become part of the query.
    $rows = database()->query("SELECT nomor, pemohon, jenis FROM permohonan WHERE pemohon ILIKE '%$words%' LIMIT 20");
    $list = '';
    foreach ($rows as $row) {
        $list .= "<li>{$row['nomor']} {$row['pemohon']} ({$row['jenis']})</li>";
    }
    page('Pencarian', "<ul>$list</ul>");
}

function check(): void
{
    $by = isset($_GET['nik']) ? 'nik' : 'nomor';
    $ask = database()->prepare("SELECT nomor, jenis, status FROM permohonan WHERE $by = ?");
    $ask->execute([$_GET[$by] ?? '']);
    $row = $ask->fetch();
    page('Cek izin', $row ? "<p>{$row['nomor']}: {$row['status']}</p>" : '<p>Tidak ditemukan</p>', $row ? 200 : 404);
}

function sign_in(): void
{
    $ask = database()->prepare('SELECT id, surel FROM pengguna WHERE surel = ? AND sandi = md5(?)');
    $ask->execute([$_POST['surel'] ?? '', $_POST['sandi'] ?? '']);
    $user = $ask->fetch();
    if ($user) {
        log_line('INFO', 'Pengguna masuk', ['userId' => $user['id'], 'ip' => $_SERVER['REMOTE_ADDR']]);
        header('Location: /dasbor', true, 302);
        return;
    }
    log_line('WARNING', 'Gagal masuk', ['surel' => $_POST['surel'] ?? '', 'ip' => $_SERVER['REMOTE_ADDR']]);
    page('Masuk', '<p>Surel atau sandi salah</p>', 401);
}

function apply(): void
{
    $new = database()->prepare(
        "INSERT INTO permohonan (nomor, pemohon, nik, jenis, status)
         VALUES ('IZN-2026-' || lpad(nextval('nomor_izin')::text, 5, '0'), ?, ?, ?, 'baru') RETURNING nomor"
    );
    $new->execute([$_POST['pemohon'] ?? '', $_POST['nik'] ?? '', $_POST['jenis'] ?? '']);
    log_line('INFO', 'Permohonan diterima', ['nomor' => $new->fetchColumn()]);
    header('Location: /permohonan/terkirim', true, 302);
}

function upload(): void
{
    // The fault: neither the name nor the kind of the file is looked at.
    $name = basename($_FILES['berkas']['name'] ?? '');
    if ($name === '' || !move_uploaded_file($_FILES['berkas']['tmp_name'], ROOT . "/public/uploads/$name")) {
        log_line('ERROR', 'Unggahan gagal', ['kode' => $_FILES['berkas']['error'] ?? null]);
        page('Unggah', '<p>Gagal</p>', 422);
        return;
    }
    log_line('INFO', 'Berkas diunggah', ['berkas' => "uploads/$name", 'ukuran' => $_FILES['berkas']['size']]);
    page('Unggah', "<p>Tersimpan: <a href=/uploads/$name>$name</a></p>");
}

function answer(string $method, string $path): void
{
    match (true) {
        $path === '/cari' => search($_GET['q'] ?? ''),
        $path === '/cek-izin' => check(),
        $method === 'POST' && $path === '/masuk' => sign_in(),
        $method === 'POST' && $path === '/permohonan' => apply(),
        $method === 'POST' && $path === '/unggah' => upload(),
        $path === '/api/status' => print(json_encode(['ok' => (bool) database()->query('SELECT 1')])),
        $path === '/' => page('Perizinan Terpadu', '<p>Selamat datang</p>' . str_repeat('<p>Layanan izin.</p>', 90)),
        (bool) preg_match('~^/(izin|berita|pengumuman)(/\d+)?$~', $path),
        in_array($path, ['/masuk', '/permohonan', '/permohonan/terkirim', '/unggah', '/persyaratan', '/kontak',
            '/profil', '/dasbor', '/dasbor/permohonan', '/jadwal'], true) =>
            page(ucfirst(trim($path, '/')), str_repeat('<p>Isi halaman.</p>', 20 + strlen($path) * 7)),
        default => page('Halaman tidak ditemukan', '', 404),
    };
}

set_exception_handler(function (Throwable $e): void {
    log_exception($e);
    page('Kesalahan', '<p>Silakan coba lagi.</p>', 500);
});
