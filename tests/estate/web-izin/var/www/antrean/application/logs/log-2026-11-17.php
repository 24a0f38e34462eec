<?php defined('BASEPATH') OR exit('No direct script access allowed'); ?>

INFO - 2026-11-17 07:23:36 --> Controller Class Initialized
INFO - 2026-11-17 07:23:52 --> Controller Class Initialized
INFO - 2026-11-17 07:34:06 --> Controller Class Initialized
INFO - 2026-11-17 07:35:36 --> Controller Class Initialized
INFO - 2026-11-17 07:43:28 --> Controller Class Initialized
INFO - 2026-11-17 07:45:02 --> Controller Class Initialized
INFO - 2026-11-17 08:04:29 --> Controller Class Initialized
INFO - 2026-11-17 08:04:29 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 08:05:40 --> Controller Class Initialized
INFO - 2026-11-17 08:11:45 --> Controller Class Initialized
INFO - 2026-11-17 08:14:47 --> Controller Class Initialized
INFO - 2026-11-17 08:16:13 --> Controller Class Initialized
INFO - 2026-11-17 08:17:22 --> Controller Class Initialized
INFO - 2026-11-17 08:24:10 --> Controller Class Initialized
INFO - 2026-11-17 08:27:46 --> Controller Class Initialized
INFO - 2026-11-17 08:28:27 --> Controller Class Initialized
INFO - 2026-11-17 08:29:40 --> Controller Class Initialized
INFO - 2026-11-17 08:33:40 --> Controller Class Initialized
INFO - 2026-11-17 08:33:48 --> Controller Class Initialized
INFO - 2026-11-17 08:33:48 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 08:40:21 --> Controller Class Initialized
INFO - 2026-11-17 08:41:59 --> Controller Class Initialized
INFO - 2026-11-17 08:42:41 --> Controller Class Initialized
INFO - 2026-11-17 08:46:19 --> Controller Class Initialized
INFO - 2026-11-17 08:50:38 --> Controller Class Initialized
INFO - 2026-11-17 08:50:38 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 08:55:48 --> Controller Class Initialized
INFO - 2026-11-17 08:56:23 --> Controller Class Initialized
INFO - 2026-11-17 08:56:43 --> Controller Class Initialized
INFO - 2026-11-17 08:59:42 --> Controller Class Initialized
INFO - 2026-11-17 09:00:08 --> Controller Class Initialized
INFO - 2026-11-17 09:01:31 --> Controller Class Initialized
INFO - 2026-11-17 09:01:31 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:01:32 --> Controller Class Initialized
INFO - 2026-11-17 09:02:22 --> Controller Class Initialized
INFO - 2026-11-17 09:07:11 --> Controller Class Initialized
INFO - 2026-11-17 09:08:46 --> Controller Class Initialized
INFO - 2026-11-17 09:12:21 --> Controller Class Initialized
INFO - 2026-11-17 09:13:18 --> Controller Class Initialized
INFO - 2026-11-17 09:13:18 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:17:23 --> Controller Class Initialized
INFO - 2026-11-17 09:17:31 --> Controller Class Initialized
INFO - 2026-11-17 09:18:13 --> Controller Class Initialized
INFO - 2026-11-17 09:18:40 --> Controller Class Initialized
INFO - 2026-11-17 09:18:40 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:18:58 --> Controller Class Initialized
INFO - 2026-11-17 09:23:57 --> Controller Class Initialized
INFO - 2026-11-17 09:27:08 --> Controller Class Initialized
INFO - 2026-11-17 09:27:08 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:27:13 --> Controller Class Initialized
INFO - 2026-11-17 09:27:52 --> Controller Class Initialized
INFO - 2026-11-17 09:27:52 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:27:58 --> Controller Class Initialized
INFO - 2026-11-17 09:30:50 --> Controller Class Initialized
INFO - 2026-11-17 09:30:57 --> Controller Class Initialized
INFO - 2026-11-17 09:32:39 --> Controller Class Initialized
INFO - 2026-11-17 09:34:00 --> Controller Class Initialized
INFO - 2026-11-17 09:34:24 --> Controller Class Initialized
INFO - 2026-11-17 09:35:43 --> Controller Class Initialized
INFO - 2026-11-17 09:36:23 --> Controller Class Initialized
INFO - 2026-11-17 09:36:54 --> Controller Class Initialized
INFO - 2026-11-17 09:36:54 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:38:31 --> Controller Class Initialized
INFO - 2026-11-17 09:38:49 --> Controller Class Initialized
INFO - 2026-11-17 09:39:18 --> Controller Class Initialized
INFO - 2026-11-17 09:41:45 --> Controller Class Initialized
INFO - 2026-11-17 09:42:16 --> Controller Class Initialized
INFO - 2026-11-17 09:42:16 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:42:17 --> Controller Class Initialized
INFO - 2026-11-17 09:42:21 --> Controller Class Initialized
INFO - 2026-11-17 09:42:21 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:43:52 --> Controller Class Initialized
INFO - 2026-11-17 09:43:52 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:43:59 --> Controller Class Initialized
INFO - 2026-11-17 09:45:10 --> Controller Class Initialized
INFO - 2026-11-17 09:45:50 --> Controller Class Initialized
INFO - 2026-11-17 09:46:20 --> Controller Class Initialized
INFO - 2026-11-17 09:47:04 --> Controller Class Initialized
INFO - 2026-11-17 09:47:15 --> Controller Class Initialized
INFO - 2026-11-17 09:47:21 --> Controller Class Initialized
INFO - 2026-11-17 09:47:21 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:47:58 --> Controller Class Initialized
INFO - 2026-11-17 09:48:22 --> Controller Class Initialized
INFO - 2026-11-17 09:49:27 --> Controller Class Initialized
INFO - 2026-11-17 09:50:51 --> Controller Class Initialized
INFO - 2026-11-17 09:50:51 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:51:06 --> Controller Class Initialized
INFO - 2026-11-17 09:51:21 --> Controller Class Initialized
INFO - 2026-11-17 09:51:34 --> Controller Class Initialized
INFO - 2026-11-17 09:51:34 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:52:07 --> Controller Class Initialized
INFO - 2026-11-17 09:52:26 --> Controller Class Initialized
INFO - 2026-11-17 09:52:45 --> Controller Class Initialized
INFO - 2026-11-17 09:52:56 --> Controller Class Initialized
INFO - 2026-11-17 09:53:06 --> Controller Class Initialized
INFO - 2026-11-17 09:53:17 --> Controller Class Initialized
INFO - 2026-11-17 09:54:22 --> Controller Class Initialized
INFO - 2026-11-17 09:55:53 --> Controller Class Initialized
INFO - 2026-11-17 09:57:28 --> Controller Class Initialized
INFO - 2026-11-17 09:57:31 --> Controller Class Initialized
INFO - 2026-11-17 09:57:33 --> Controller Class Initialized
INFO - 2026-11-17 09:59:07 --> Controller Class Initialized
INFO - 2026-11-17 09:59:07 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 09:59:17 --> Controller Class Initialized
INFO - 2026-11-17 09:59:17 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:00:11 --> Controller Class Initialized
INFO - 2026-11-17 10:00:11 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:02:15 --> Controller Class Initialized
INFO - 2026-11-17 10:02:30 --> Controller Class Initialized
INFO - 2026-11-17 10:02:44 --> Controller Class Initialized
INFO - 2026-11-17 10:02:56 --> Controller Class Initialized
INFO - 2026-11-17 10:05:20 --> Controller Class Initialized
INFO - 2026-11-17 10:05:20 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:05:51 --> Controller Class Initialized
INFO - 2026-11-17 10:07:06 --> Controller Class Initialized
INFO - 2026-11-17 10:07:38 --> Controller Class Initialized
INFO - 2026-11-17 10:07:41 --> Controller Class Initialized
INFO - 2026-11-17 10:07:44 --> Controller Class Initialized
INFO - 2026-11-17 10:11:55 --> Controller Class Initialized
INFO - 2026-11-17 10:13:21 --> Controller Class Initialized
INFO - 2026-11-17 10:13:34 --> Controller Class Initialized
INFO - 2026-11-17 10:13:54 --> Controller Class Initialized
INFO - 2026-11-17 10:15:03 --> Controller Class Initialized
INFO - 2026-11-17 10:15:14 --> Controller Class Initialized
INFO - 2026-11-17 10:15:41 --> Controller Class Initialized
INFO - 2026-11-17 10:16:58 --> Controller Class Initialized
INFO - 2026-11-17 10:17:16 --> Controller Class Initialized
INFO - 2026-11-17 10:17:16 --> Controller Class Initialized
INFO - 2026-11-17 10:17:31 --> Controller Class Initialized
INFO - 2026-11-17 10:17:50 --> Controller Class Initialized
INFO - 2026-11-17 10:17:50 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:19:23 --> Controller Class Initialized
INFO - 2026-11-17 10:19:37 --> Controller Class Initialized
INFO - 2026-11-17 10:20:59 --> Controller Class Initialized
INFO - 2026-11-17 10:22:38 --> Controller Class Initialized
INFO - 2026-11-17 10:23:19 --> Controller Class Initialized
INFO - 2026-11-17 10:24:34 --> Controller Class Initialized
INFO - 2026-11-17 10:24:38 --> Controller Class Initialized
INFO - 2026-11-17 10:24:38 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:27:48 --> Controller Class Initialized
INFO - 2026-11-17 10:28:20 --> Controller Class Initialized
INFO - 2026-11-17 10:28:26 --> Controller Class Initialized
INFO - 2026-11-17 10:28:26 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:29:38 --> Controller Class Initialized
INFO - 2026-11-17 10:30:42 --> Controller Class Initialized
INFO - 2026-11-17 10:30:52 --> Controller Class Initialized
INFO - 2026-11-17 10:31:06 --> Controller Class Initialized
INFO - 2026-11-17 10:31:37 --> Controller Class Initialized
INFO - 2026-11-17 10:31:37 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:32:04 --> Controller Class Initialized
INFO - 2026-11-17 10:32:04 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:32:44 --> Controller Class Initialized
INFO - 2026-11-17 10:32:55 --> Controller Class Initialized
INFO - 2026-11-17 10:32:55 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:36:07 --> Controller Class Initialized
INFO - 2026-11-17 10:36:45 --> Controller Class Initialized
INFO - 2026-11-17 10:37:39 --> Controller Class Initialized
INFO - 2026-11-17 10:40:25 --> Controller Class Initialized
INFO - 2026-11-17 10:47:58 --> Controller Class Initialized
INFO - 2026-11-17 10:48:10 --> Controller Class Initialized
INFO - 2026-11-17 10:48:34 --> Controller Class Initialized
INFO - 2026-11-17 10:49:05 --> Controller Class Initialized
INFO - 2026-11-17 10:49:32 --> Controller Class Initialized
INFO - 2026-11-17 10:49:32 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:50:51 --> Controller Class Initialized
INFO - 2026-11-17 10:50:51 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:51:04 --> Controller Class Initialized
INFO - 2026-11-17 10:51:40 --> Controller Class Initialized
INFO - 2026-11-17 10:51:40 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 10:55:24 --> Controller Class Initialized
INFO - 2026-11-17 10:55:57 --> Controller Class Initialized
INFO - 2026-11-17 10:58:14 --> Controller Class Initialized
INFO - 2026-11-17 11:00:48 --> Controller Class Initialized
INFO - 2026-11-17 11:00:48 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:01:00 --> Controller Class Initialized
INFO - 2026-11-17 11:02:24 --> Controller Class Initialized
INFO - 2026-11-17 11:02:59 --> Controller Class Initialized
INFO - 2026-11-17 11:02:59 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:03:20 --> Controller Class Initialized
INFO - 2026-11-17 11:04:01 --> Controller Class Initialized
INFO - 2026-11-17 11:04:15 --> Controller Class Initialized
INFO - 2026-11-17 11:05:01 --> Controller Class Initialized
INFO - 2026-11-17 11:06:31 --> Controller Class Initialized
INFO - 2026-11-17 11:06:45 --> Controller Class Initialized
INFO - 2026-11-17 11:07:13 --> Controller Class Initialized
INFO - 2026-11-17 11:08:32 --> Controller Class Initialized
INFO - 2026-11-17 11:09:55 --> Controller Class Initialized
INFO - 2026-11-17 11:10:36 --> Controller Class Initialized
INFO - 2026-11-17 11:11:20 --> Controller Class Initialized
INFO - 2026-11-17 11:11:47 --> Controller Class Initialized
INFO - 2026-11-17 11:11:47 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:13:32 --> Controller Class Initialized
INFO - 2026-11-17 11:13:32 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:13:43 --> Controller Class Initialized
INFO - 2026-11-17 11:14:41 --> Controller Class Initialized
INFO - 2026-11-17 11:15:03 --> Controller Class Initialized
INFO - 2026-11-17 11:16:46 --> Controller Class Initialized
INFO - 2026-11-17 11:20:35 --> Controller Class Initialized
INFO - 2026-11-17 11:20:35 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:21:14 --> Controller Class Initialized
INFO - 2026-11-17 11:21:24 --> Controller Class Initialized
INFO - 2026-11-17 11:22:12 --> Controller Class Initialized
INFO - 2026-11-17 11:22:28 --> Controller Class Initialized
INFO - 2026-11-17 11:23:04 --> Controller Class Initialized
INFO - 2026-11-17 11:23:08 --> Controller Class Initialized
INFO - 2026-11-17 11:23:30 --> Controller Class Initialized
INFO - 2026-11-17 11:23:49 --> Controller Class Initialized
INFO - 2026-11-17 11:24:31 --> Controller Class Initialized
INFO - 2026-11-17 11:24:50 --> Controller Class Initialized
INFO - 2026-11-17 11:24:51 --> Controller Class Initialized
INFO - 2026-11-17 11:25:36 --> Controller Class Initialized
INFO - 2026-11-17 11:25:53 --> Controller Class Initialized
INFO - 2026-11-17 11:25:53 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:27:05 --> Controller Class Initialized
INFO - 2026-11-17 11:27:27 --> Controller Class Initialized
INFO - 2026-11-17 11:27:27 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:27:47 --> Controller Class Initialized
INFO - 2026-11-17 11:27:47 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:30:10 --> Controller Class Initialized
INFO - 2026-11-17 11:30:10 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:31:24 --> Controller Class Initialized
INFO - 2026-11-17 11:31:24 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:32:21 --> Controller Class Initialized
INFO - 2026-11-17 11:34:51 --> Controller Class Initialized
INFO - 2026-11-17 11:36:25 --> Controller Class Initialized
INFO - 2026-11-17 11:37:17 --> Controller Class Initialized
INFO - 2026-11-17 11:37:17 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:37:57 --> Controller Class Initialized
INFO - 2026-11-17 11:40:48 --> Controller Class Initialized
INFO - 2026-11-17 11:42:13 --> Controller Class Initialized
INFO - 2026-11-17 11:42:58 --> Controller Class Initialized
INFO - 2026-11-17 11:43:40 --> Controller Class Initialized
INFO - 2026-11-17 11:43:40 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:44:07 --> Controller Class Initialized
INFO - 2026-11-17 11:44:49 --> Controller Class Initialized
INFO - 2026-11-17 11:44:49 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:45:03 --> Controller Class Initialized
INFO - 2026-11-17 11:46:22 --> Controller Class Initialized
INFO - 2026-11-17 11:47:40 --> Controller Class Initialized
INFO - 2026-11-17 11:47:40 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:48:00 --> Controller Class Initialized
INFO - 2026-11-17 11:48:26 --> Controller Class Initialized
INFO - 2026-11-17 11:49:06 --> Controller Class Initialized
INFO - 2026-11-17 11:49:06 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:49:19 --> Controller Class Initialized
INFO - 2026-11-17 11:49:21 --> Controller Class Initialized
INFO - 2026-11-17 11:49:46 --> Controller Class Initialized
INFO - 2026-11-17 11:49:46 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 11:49:47 --> Controller Class Initialized
INFO - 2026-11-17 11:55:55 --> Controller Class Initialized
INFO - 2026-11-17 11:58:32 --> Controller Class Initialized
INFO - 2026-11-17 12:00:45 --> Controller Class Initialized
INFO - 2026-11-17 12:00:53 --> Controller Class Initialized
INFO - 2026-11-17 12:01:34 --> Controller Class Initialized
INFO - 2026-11-17 12:03:46 --> Controller Class Initialized
INFO - 2026-11-17 12:04:35 --> Controller Class Initialized
INFO - 2026-11-17 12:04:57 --> Controller Class Initialized
INFO - 2026-11-17 12:08:41 --> Controller Class Initialized
INFO - 2026-11-17 12:09:23 --> Controller Class Initialized
INFO - 2026-11-17 12:10:28 --> Controller Class Initialized
INFO - 2026-11-17 12:10:28 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:10:56 --> Controller Class Initialized
INFO - 2026-11-17 12:10:56 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:11:24 --> Controller Class Initialized
INFO - 2026-11-17 12:11:40 --> Controller Class Initialized
INFO - 2026-11-17 12:12:14 --> Controller Class Initialized
INFO - 2026-11-17 12:12:14 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:13:02 --> Controller Class Initialized
INFO - 2026-11-17 12:13:12 --> Controller Class Initialized
INFO - 2026-11-17 12:13:59 --> Controller Class Initialized
INFO - 2026-11-17 12:14:33 --> Controller Class Initialized
INFO - 2026-11-17 12:15:17 --> Controller Class Initialized
INFO - 2026-11-17 12:18:37 --> Controller Class Initialized
INFO - 2026-11-17 12:19:04 --> Controller Class Initialized
INFO - 2026-11-17 12:20:11 --> Controller Class Initialized
INFO - 2026-11-17 12:20:40 --> Controller Class Initialized
INFO - 2026-11-17 12:21:46 --> Controller Class Initialized
INFO - 2026-11-17 12:21:46 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:22:16 --> Controller Class Initialized
INFO - 2026-11-17 12:23:10 --> Controller Class Initialized
INFO - 2026-11-17 12:25:06 --> Controller Class Initialized
INFO - 2026-11-17 12:25:06 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:25:51 --> Controller Class Initialized
INFO - 2026-11-17 12:25:51 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:26:03 --> Controller Class Initialized
INFO - 2026-11-17 12:26:33 --> Controller Class Initialized
INFO - 2026-11-17 12:28:20 --> Controller Class Initialized
INFO - 2026-11-17 12:28:29 --> Controller Class Initialized
INFO - 2026-11-17 12:28:29 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:29:08 --> Controller Class Initialized
INFO - 2026-11-17 12:32:53 --> Controller Class Initialized
INFO - 2026-11-17 12:34:38 --> Controller Class Initialized
INFO - 2026-11-17 12:34:38 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:35:00 --> Controller Class Initialized
INFO - 2026-11-17 12:35:41 --> Controller Class Initialized
INFO - 2026-11-17 12:38:12 --> Controller Class Initialized
INFO - 2026-11-17 12:40:50 --> Controller Class Initialized
INFO - 2026-11-17 12:41:25 --> Controller Class Initialized
INFO - 2026-11-17 12:42:32 --> Controller Class Initialized
INFO - 2026-11-17 12:47:13 --> Controller Class Initialized
INFO - 2026-11-17 12:47:51 --> Controller Class Initialized
INFO - 2026-11-17 12:48:50 --> Controller Class Initialized
INFO - 2026-11-17 12:49:56 --> Controller Class Initialized
INFO - 2026-11-17 12:50:28 --> Controller Class Initialized
INFO - 2026-11-17 12:50:28 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:51:01 --> Controller Class Initialized
INFO - 2026-11-17 12:51:33 --> Controller Class Initialized
INFO - 2026-11-17 12:51:33 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:51:36 --> Controller Class Initialized
INFO - 2026-11-17 12:53:09 --> Controller Class Initialized
INFO - 2026-11-17 12:53:09 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:56:02 --> Controller Class Initialized
INFO - 2026-11-17 12:57:12 --> Controller Class Initialized
INFO - 2026-11-17 12:57:57 --> Controller Class Initialized
INFO - 2026-11-17 12:58:52 --> Controller Class Initialized
INFO - 2026-11-17 12:58:52 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 12:59:44 --> Controller Class Initialized
INFO - 2026-11-17 13:01:54 --> Controller Class Initialized
INFO - 2026-11-17 13:07:08 --> Controller Class Initialized
INFO - 2026-11-17 13:07:18 --> Controller Class Initialized
INFO - 2026-11-17 13:07:58 --> Controller Class Initialized
INFO - 2026-11-17 13:13:36 --> Controller Class Initialized
INFO - 2026-11-17 13:14:06 --> Controller Class Initialized
INFO - 2026-11-17 13:14:20 --> Controller Class Initialized
INFO - 2026-11-17 13:14:20 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 13:14:20 --> Controller Class Initialized
INFO - 2026-11-17 13:14:37 --> Controller Class Initialized
INFO - 2026-11-17 13:16:34 --> Controller Class Initialized
INFO - 2026-11-17 13:16:34 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 13:16:45 --> Controller Class Initialized
INFO - 2026-11-17 13:16:45 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 13:17:25 --> Controller Class Initialized
INFO - 2026-11-17 13:18:21 --> Controller Class Initialized
INFO - 2026-11-17 13:21:31 --> Controller Class Initialized
INFO - 2026-11-17 13:28:09 --> Controller Class Initialized
INFO - 2026-11-17 13:28:09 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 13:31:03 --> Controller Class Initialized
INFO - 2026-11-17 13:31:03 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 13:32:21 --> Controller Class Initialized
INFO - 2026-11-17 13:32:32 --> Controller Class Initialized
INFO - 2026-11-17 13:32:32 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 13:33:17 --> Controller Class Initialized
INFO - 2026-11-17 13:33:24 --> Controller Class Initialized
INFO - 2026-11-17 13:39:32 --> Controller Class Initialized
INFO - 2026-11-17 13:39:37 --> Controller Class Initialized
INFO - 2026-11-17 13:39:37 --> Controller Class Initialized
INFO - 2026-11-17 13:40:15 --> Controller Class Initialized
INFO - 2026-11-17 13:44:49 --> Controller Class Initialized
INFO - 2026-11-17 13:46:29 --> Controller Class Initialized
INFO - 2026-11-17 13:58:44 --> Controller Class Initialized
INFO - 2026-11-17 13:58:59 --> Controller Class Initialized
INFO - 2026-11-17 14:00:39 --> Controller Class Initialized
INFO - 2026-11-17 14:01:40 --> Controller Class Initialized
INFO - 2026-11-17 14:02:01 --> Controller Class Initialized
INFO - 2026-11-17 14:02:01 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 14:03:09 --> Controller Class Initialized
INFO - 2026-11-17 14:03:09 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 14:04:07 --> Controller Class Initialized
INFO - 2026-11-17 14:07:50 --> Controller Class Initialized
INFO - 2026-11-17 14:07:50 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 14:12:23 --> Controller Class Initialized
INFO - 2026-11-17 14:13:15 --> Controller Class Initialized
INFO - 2026-11-17 14:18:57 --> Controller Class Initialized
INFO - 2026-11-17 14:18:57 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 14:24:48 --> Controller Class Initialized
INFO - 2026-11-17 14:25:45 --> Controller Class Initialized
INFO - 2026-11-17 14:25:45 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 14:28:49 --> Controller Class Initialized
INFO - 2026-11-17 14:42:19 --> Controller Class Initialized
INFO - 2026-11-17 14:52:18 --> Controller Class Initialized
INFO - 2026-11-17 14:53:15 --> Controller Class Initialized
INFO - 2026-11-17 14:55:34 --> Controller Class Initialized
INFO - 2026-11-17 14:55:34 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 14:58:50 --> Controller Class Initialized
INFO - 2026-11-17 15:05:35 --> Controller Class Initialized
INFO - 2026-11-17 15:12:23 --> Controller Class Initialized
INFO - 2026-11-17 15:12:23 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 15:13:34 --> Controller Class Initialized
INFO - 2026-11-17 15:13:56 --> Controller Class Initialized
INFO - 2026-11-17 15:18:11 --> Controller Class Initialized
INFO - 2026-11-17 15:19:46 --> Controller Class Initialized
INFO - 2026-11-17 15:19:46 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 15:23:09 --> Controller Class Initialized
INFO - 2026-11-17 15:28:34 --> Controller Class Initialized
INFO - 2026-11-17 15:29:45 --> Controller Class Initialized
INFO - 2026-11-17 15:29:54 --> Controller Class Initialized
INFO - 2026-11-17 15:35:53 --> Controller Class Initialized
INFO - 2026-11-17 15:36:13 --> Controller Class Initialized
INFO - 2026-11-17 15:38:07 --> Controller Class Initialized
INFO - 2026-11-17 15:38:07 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 15:44:05 --> Controller Class Initialized
INFO - 2026-11-17 15:44:05 --> Nomor antrean untuk loket 2
INFO - 2026-11-17 15:46:54 --> Controller Class Initialized
INFO - 2026-11-17 15:48:41 --> Controller Class Initialized
INFO - 2026-11-17 16:02:57 --> Controller Class Initialized
INFO - 2026-11-17 16:03:50 --> Controller Class Initialized
