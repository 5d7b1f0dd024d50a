/**
 * Ports on which nothing speaks HTTP: a callback sent to one could only be meant to speak to something else. Every
 * other port is allowed. First the Fetch standard's list ("port blocking"), then file sharing, remote control, message
 * queues and databases.
 */
const deniedPorts = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,

  138, 162, 445, 502, 873, 1433, 1434, 1521, 1883, 2181, 3260, 3306, 3389, 4369, 5222, 5269, 5432, 5433, 5671,
  5672, 5900, 5901, 6379, 6380, 6432, 7199, 9042, 9092, 9093, 9160, 11211, 16379, 26257, 26379, 27017, 27018,
  27019, 28015, 33060,
])

/** Whether callbacks never go to this port, whatever the address. */
export function isDeniedPort(port: number): boolean {
  return deniedPorts.has(port)
}
