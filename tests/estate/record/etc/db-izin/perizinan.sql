CREATE ROLE izin_app LOGIN PASSWORD 'rahasia-izin';
CREATE ROLE laporan LOGIN PASSWORD 'laporan2026';
CREATE ROLE yusuf LOGIN SUPERUSER;
-- People, unlike the application, have every statement logged.
ALTER ROLE laporan SET log_statement = 'all';
ALTER ROLE yusuf SET log_statement = 'all';
CREATE DATABASE perizinan OWNER izin_app;
\connect perizinan
SET ROLE izin_app;
CREATE SEQUENCE nomor_izin START 301;
CREATE TABLE permohonan (nomor text PRIMARY KEY, pemohon text, nik text, jenis text, status text);
CREATE TABLE pengguna (id serial PRIMARY KEY, surel text, sandi text);
CREATE TABLE penduduk (nik text PRIMARY KEY, nama text, tanggal_lahir date, alamat text);
INSERT INTO pengguna (surel, sandi) VALUES
    ('petugas@izin.example', md5('petugas')), ('verifikator@izin.example', md5('verifikator'));
GRANT SELECT ON permohonan, penduduk TO laporan;
