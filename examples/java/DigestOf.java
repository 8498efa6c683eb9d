import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.TreeMap;

/** Computes the digest of an edition from its parsed JSON. Needs Java 17 and Jackson. The argument is the address. */
public class DigestOf {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String EDITION = "/v1/guides/child-sexual-exploitation/editions/1";

  /** Returns the digest of the members that the edition names in `digest_of`. */
  static String digestOf(JsonNode edition) throws Exception {
    ObjectNode content = JSON.createObjectNode();
    for (JsonNode name : edition.get("digest_of")) content.set(name.asText(), edition.get(name.asText()));
    byte[] canonical = JSON.writeValueAsString(bare(content)).getBytes(StandardCharsets.UTF_8);
    return "sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(canonical));
  }

  /** Returns the value with sorted names, and without members that are null, an empty array or an empty object. */
  private static JsonNode bare(JsonNode value) {
    if (value.isArray()) {
      ArrayNode entries = JSON.createArrayNode();
      value.forEach(entry -> entries.add(bare(entry)));
      return entries;
    }
    if (!value.isObject()) return value;
    TreeMap<String, JsonNode> members = new TreeMap<>();
    value.fieldNames().forEachRemaining(name -> members.put(name, bare(value.get(name))));
    members.values().removeIf(member -> member.isNull() || (member.isContainerNode() && member.isEmpty()));
    ObjectNode sorted = JSON.createObjectNode();
    members.forEach(sorted::set);
    return sorted;
  }

  public static void main(String[] arguments) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0] + EDITION)).build();
    String body = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    JsonNode edition = JSON.readTree(body);
    String digest = digestOf(edition);
    if (!digest.equals(edition.get("digest").asText())) throw new IllegalStateException("The content does not have the digest.");
    System.out.println(digest);
  }
}
