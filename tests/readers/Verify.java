// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** For each line "SENT BUNDLE HOST": does the trust manager accept the chain for a server? */
public class Verify {
    static Collection<? extends Certificate> read(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in);
        }
    }

    static boolean accepts(String sent, String bundle) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            int n = 0;

            store.load(null, null);
            for (Certificate anchor : read(bundle))
                store.setCertificateEntry("a" + n++, anchor);
            factory.init(store);
            X509Certificate[] chain = read(sent).toArray(new X509Certificate[0]);
            String key = chain[0].getPublicKey().getAlgorithm();
            ((X509TrustManager) factory.getTrustManagers()[0])
                .checkServerTrusted(chain, key.equals("EC") ? "ECDHE_ECDSA" : "ECDHE_RSA");
            return true;
        } catch (Exception e) {
            return false;
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));

        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");

            System.out.println(accepts(words[0], words[1]) ? "yes" : "no");
        }
    }
}
