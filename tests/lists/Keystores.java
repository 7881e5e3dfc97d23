// SPDX-License-Identifier: Apache-2.0
// What Java itself makes of a keystore.
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.Key;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

class Keystores {
    static KeyStore load(String type, String file, String password) throws Exception {
        KeyStore store = KeyStore.getInstance(type);
        try (InputStream in = new FileInputStream(file)) {
            store.load(in, password.equals("-") ? null : password.toCharArray());
        }
        return store;
    }

    static String plain(String alias) {
        StringBuilder out = new StringBuilder();
        for (char c : alias.toCharArray()) {
            if (c > ' ' && c < 0x7f && c != '\\') {
                out.append(c);
            } else {
                out.append(String.format("\\u%04x", (int) c));
            }
        }
        return out.toString();
    }

    // Alias, kind and SHA-256 of every entry, and whether a private key signs what its certificate
    // verifies.
    static void list(String type, String file, String password) throws Exception {
        KeyStore store = load(type, file, password);
        List<String> aliases = Collections.list(store.aliases());
        Collections.sort(aliases);
        for (String alias : aliases) {
            Certificate cert = store.getCertificate(alias);
            String kind = store.isCertificateEntry(alias) ? "trusted" : "secret";
            StringBuilder digest = new StringBuilder();
            if (cert != null) {
                for (byte b : MessageDigest.getInstance("SHA-256").digest(cert.getEncoded())) {
                    digest.append(String.format("%02x", b));
                }
            }
            if (store.isKeyEntry(alias)) {
                Key key = store.getKey(alias, password.toCharArray());
                if (key instanceof PrivateKey) {
                    Signature signature = Signature.getInstance("SHA256withECDSA");
                    signature.initSign((PrivateKey) key);
                    signature.update(new byte[100]);
                    byte[] made = signature.sign();
                    signature.initVerify(cert.getPublicKey());
                    signature.update(new byte[100]);
                    kind = signature.verify(made) ? "signs" : "broken";
                } else {
                    digest.append(key.getAlgorithm()).append(key.getEncoded().length);
                }
            }
            System.out.println(plain(alias) + " " + kind + " " + digest);
        }
    }

    // A TLS client that knows what javax.net.ssl.trustStore says, and a server with that key.
    static void tls(String file, String password) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(load("PKCS12", file, password), password.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
        Thread thread = new Thread(() -> {
            try (SSLSocket peer = (SSLSocket) server.accept()) {
                peer.getOutputStream().write('y');
            } catch (Exception e) {
                // The client says it.
            }
        });
        thread.setDaemon(true);
        thread.start();
        try (SSLSocket client = (SSLSocket) SSLSocketFactory.getDefault()
                .createSocket("127.0.0.1", server.getLocalPort())) {
            System.out.println(client.getInputStream().read() == 'y' ? "accepted" : "nothing");
        } catch (Exception e) {
            System.out.println("refused: " + e.getMessage());
        }
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("tls")) {
            tls(args[1], args[2]);
            return;
        }
        for (int i = 1; i + 2 < args.length; i += 3) {
            System.out.println("== " + args[i + 1] + " " + args[i + 2]);
            try {
                list(args[i], args[i + 1], args[i + 2]);
            } catch (Exception e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }
}
