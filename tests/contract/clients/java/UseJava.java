// A program with the Java client of OpenAPI Generator. It prints what it saw.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.ConcernsApi;
import org.openapitools.client.api.EventsApi;
import org.openapitools.client.api.FollowUpApi;
import org.openapitools.client.api.GuidesApi;
import org.openapitools.client.api.ReferenceApi;
import org.openapitools.client.model.Concern;
import org.openapitools.client.model.GuideSummary;
import org.openapitools.client.model.Problem;
import org.openapitools.client.model.Receipt;

public class UseJava {
  private static final int ATTEMPTS = 5; // more than the limit of the test
  private static final String KEY_INFO = "302a300506032b6570032100"; // an Ed25519 key follows
  private static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper();

  public static void main(String[] given) throws Exception {
    ApiClient open = client(given[0]);
    EventsApi events = new EventsApi(as(given[1], given[0]));
    ConcernsApi concerns = new ConcernsApi(open);
    JsonNode examples = JSON.readTree(Path.of(given[3]).toFile());
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("guides", guides(new GuidesApi(open)));
    report.put("sections", sections(new GuidesApi(open), given[2]));
    List<Receipt> receipts = new ArrayList<>();
    for (JsonNode example : examples) {
      receipts.add(concerns.raiseConcern(JSON.treeToValue(example, Concern.class), null, null));
    }
    report.put("raised", receipts.stream().map(Receipt::getReference).toList());
    List<String> followed = new ArrayList<>();
    for (Receipt each : receipts) {
      FollowUpApi api = new FollowUpApi(as(each.getStatusToken(), given[0]));
      followed.add(api.readConcernStatus(each.getReference()).getState());
    }
    report.put("followed", followed);
    report.put("verified", verifyAll(receipts, new ReferenceApi(open).readReceiptKeys().getKeys()));
    report.put("faults", faults(concerns, JSON.treeToValue(examples.get("smallest"), Concern.class)));
    report.put(
        "events",
        events.readEvents(null, null, 200).getEvents().stream()
            .map(each -> List.of(each.getType(), each.getData().getOrDefault("reference", "")))
            .toList());
    report.put("too_many", tooMany(events));
    System.out.println(JSON.writeValueAsString(report));
  }

  private static ApiClient client(String service) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(service);
    return client;
  }

  private static ApiClient as(String token, String service) {
    return client(service).setRequestInterceptor(each -> each.header("Authorization", "Bearer " + token));
  }

  /** Returns whose each receipt is, and then null: the last one has the signature of another. */
  private static List<String> verifyAll(List<Receipt> receipts, List<Map<String, String>> keys) throws Exception {
    String first = receipts.get(0).getReceipt();
    String second = receipts.get(1).getReceipt();
    String forged = first.substring(0, first.lastIndexOf('.')) + second.substring(second.lastIndexOf('.'));
    return Arrays.asList(verified(first, keys), verified(second, keys), verified(forged, keys));
  }

  private static String verified(String receipt, List<Map<String, String>> keys) throws Exception {
    String[] parts = receipt.split("\\.");
    String kid = JSON.readTree(decoded(parts[0])).get("kid").asText();
    for (Map<String, String> key : keys) {
      if (!kid.equals(key.get("kid"))) continue;
      Signature signature = Signature.getInstance("Ed25519");
      signature.initVerify(publicKey(key.get("x")));
      signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
      if (signature.verify(decoded(parts[2]))) return JSON.readTree(decoded(parts[1])).get("jti").asText();
    }
    return null;
  }

  private static PublicKey publicKey(String x) throws Exception {
    byte[] whole = HexFormat.of().parseHex(KEY_INFO + HexFormat.of().formatHex(decoded(x)));
    return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(whole));
  }

  private static byte[] decoded(String text) {
    return Base64.getUrlDecoder().decode(text);
  }

  private static Map<String, Boolean> guides(GuidesApi api) throws ApiException {
    Map<String, Boolean> sourced = new TreeMap<>();
    for (GuideSummary each : api.listGuides(null, null, null).getGuides()) {
      sourced.put(each.getGuide(), api.readGuide(each.getGuide(), null, null, null).getSource() != null);
    }
    return sourced;
  }

  private static Map<String, List<String>> sections(GuidesApi api, String guide) throws ApiException {
    Map<String, List<String>> ids = new LinkedHashMap<>();
    ids.put("definitions", api.readDefinitions(guide).getDefinitions().stream().map(each -> each.getId()).toList());
    ids.put("factors", api.readFactors(guide).getFactors().stream().map(each -> each.getId()).toList());
    ids.put("indicators", api.readIndicators(guide).getIndicators().stream().map(each -> each.getId()).toList());
    ids.put("linked_risks", api.readLinkedRisks(guide).getLinkedRisks().stream().map(each -> each.getId()).toList());
    ids.put(
        "responsibilities",
        api.readResponsibilities(guide).getResponsibilities().stream().map(each -> each.getId()).toList());
    ids.put("contacts", api.readContacts(guide).getContacts().stream().map(each -> each.getId()).toList());
    return ids;
  }

  private static List<String> faults(ConcernsApi api, Concern concern) throws Exception {
    try {
      api.raiseConcern(concern.guide("no-such-guide"), null, null);
    } catch (ApiException refused) {
      Problem problem = JSON.readValue(refused.getResponseBody(), Problem.class);
      return problem.getErrors().stream().map(each -> each.getPointer() + " " + each.getCode()).toList();
    }
    throw new IllegalStateException("This must be refused.");
  }

  private static List<Object> tooMany(EventsApi api) throws Exception {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        api.readEvents(null, null, null);
      } catch (ApiException refused) {
        int seconds = Integer.parseInt(refused.getResponseHeaders().firstValue("Retry-After").orElseThrow());
        return List.of(seconds, JSON.readValue(refused.getResponseBody(), Problem.class).getType());
      }
    }
    throw new IllegalStateException("There must be a limit.");
  }
}
